import { UserId } from "../connector/ids.js";
import { compileNamespace, literalPrefix } from "./registration-regex.js";
import type { NamespaceEntry, RegistrationDocument } from "./registration-file.js";

/** A valid registration: who this bridge is to the homeserver, and which users and aliases are its own. */
export class Registration {
  readonly id: string;
  /** Where the homeserver reaches Trestle; `null`: it sends nothing. */
  readonly url: string | null;
  readonly asToken: string;
  readonly hsToken: string;
  readonly senderLocalpart: string;
  /** The bridge bot, made of `sender_localpart`. */
  readonly bot: UserId;
  readonly protocols: readonly string[];
  /** `undefined`: the homeserver's default, which is true on Synapse and Dendrite. */
  readonly rateLimited: boolean | undefined;
  /** Whether the homeserver is asked for typing, receipts and presence. */
  readonly receivesEphemeral: boolean;
  /** What the localparts of ghosts begin with, e.g. `irc_`. */
  readonly ghostPrefix: string;
  /** What the localparts of portal aliases begin with, e.g. `irc_`; `undefined` where no alias namespace says so. */
  readonly aliasPrefix: string | undefined;
  readonly #users: readonly RegExp[];
  readonly #aliases: readonly RegExp[];

  /**
   * Takes a document that `checkRegistration` found no error in; use `readRegistration` or `parseRegistration` for files.
   *
   * @throws RangeError when the ghost prefix cannot be told from the namespaces, or a regular expression does not compile
   */
  constructor(
    readonly document: RegistrationDocument,
    readonly serverName: string,
  ) {
    this.id = document.id;
    this.url = document.url === null ? null : document.url.replace(/\/+$/, "");
    this.asToken = document.as_token;
    this.hsToken = document.hs_token;
    this.senderLocalpart = document.sender_localpart;
    this.bot = UserId(`@${document.sender_localpart}:${serverName}`);
    this.protocols = document.protocols ?? [];
    this.rateLimited = document.rate_limited;
    this.receivesEphemeral =
      document.receive_ephemeral === true || document["de.sorunome.msc2409.push_ephemeral"] === true;
    const prefix = ghostPrefixOf(document);
    if (!prefix.ok) throw new RangeError(prefix.message);
    this.ghostPrefix = prefix.value;
    this.aliasPrefix = singlePrefix(document.namespaces.aliases ?? [], "aliases");
    this.#users = compileAll(document.namespaces.users ?? []);
    this.#aliases = compileAll(document.namespaces.aliases ?? []);
  }

  /** Whether a user is the bridge bot or one of its ghosts. Users of other servers never are. */
  isOwnUser(userId: string): boolean {
    if (userId === this.bot) return true;
    return this.#isLocal(userId) && this.#users.some((regex) => regex.test(userId));
  }

  /** Whether a room alias is in the bridge's namespace. */
  isOwnAlias(alias: string): boolean {
    return this.#isLocal(alias) && this.#aliases.some((regex) => regex.test(alias));
  }

  /** The id of the local user with this localpart. */
  userId(localpart: string): UserId {
    return UserId(`@${localpart}:${this.serverName}`);
  }

  #isLocal(id: string): boolean {
    return id.endsWith(`:${this.serverName}`);
  }
}

function compileAll(namespaces: readonly NamespaceEntry[]): RegExp[] {
  return namespaces.map((each) => compileNamespace(each.regex));
}

export type GhostPrefix =
  { readonly ok: true; readonly value: string } | { readonly ok: false; readonly message: string };

/** What ghosts' localparts begin with: the key `trestle.ghost_prefix`, else the literal part of the one user namespace with a wildcard. */
export function ghostPrefixOf(document: RegistrationDocument): GhostPrefix {
  const explicit = document["trestle.ghost_prefix"];
  if (explicit !== undefined) return { ok: true, value: explicit };
  const prefix = singlePrefix(document.namespaces.users ?? [], "users");
  if (prefix !== undefined) return { ok: true, value: prefix };
  return {
    ok: false,
    message:
      "it does not tell what the user ids of ghosts begin with: have exactly one user namespace such as " +
      String.raw`^@irc_.*:example\.org$, or add the key trestle.ghost_prefix (e.g. trestle.ghost_prefix: irc_)`,
  };
}

function singlePrefix(namespaces: readonly NamespaceEntry[], kind: "users" | "aliases"): string | undefined {
  const prefixes = namespaces.map((each) => literalPrefix(each.regex, kind)).filter((each) => each !== undefined);
  return prefixes.length === 1 ? prefixes[0] : undefined;
}
