import { randomBytes } from "node:crypto";
import { dump } from "js-yaml";
import type { RegistrationDocument } from "./registration-file.js";
import { escapeRegex } from "./registration-regex.js";

/** What a new registration is made of. */
export interface GenerateRegistration {
  /** Unique among the homeserver's registrations. */
  readonly id: string;
  /** Where the homeserver reaches Trestle. */
  readonly url: string;
  readonly serverName: string;
  /** What the localparts of ghosts and of portal aliases begin with, e.g. `irc_`. */
  readonly prefix: string;
  /** The bridge bot's localpart, e.g. `ircbot`; it must not begin with the prefix. */
  readonly botLocalpart: string;
  /** The network's protocol, for third-party lookup, e.g. `irc`. */
  readonly protocols?: readonly string[];
  /** An earlier registration: its tokens and every key not named here are kept. */
  readonly existing?: RegistrationDocument;
  /** Makes new tokens also where `existing` has some. */
  readonly newTokens?: boolean;
}

/** Makes a registration that Synapse, Dendrite, Conduit and tuwunel read alike: anchored, escaped, unlimited, with ephemeral events. */
export function generateRegistration(options: GenerateRegistration): RegistrationDocument {
  const { existing, serverName, prefix } = options;
  const keep = options.newTokens === true ? undefined : existing;
  const server = escapeRegex(serverName);
  const { users: _users, aliases: _aliases, rooms, ...otherNamespaces } = existing?.namespaces ?? {};
  const made = {
    id: options.id,
    url: options.url,
    as_token: keep?.as_token ?? newToken(),
    hs_token: keep?.hs_token ?? newToken(),
    sender_localpart: options.botLocalpart,
    rate_limited: false,
    receive_ephemeral: true,
    "de.sorunome.msc2409.push_ephemeral": true,
    push_ephemeral: true,
    protocols: [...(options.protocols ?? existing?.protocols ?? [])],
    "trestle.ghost_prefix": prefix,
    namespaces: {
      users: [
        { exclusive: true, regex: `^@${escapeRegex(prefix)}.*:${server}$` },
        { exclusive: true, regex: `^@${escapeRegex(options.botLocalpart)}:${server}$` },
      ],
      aliases: [{ exclusive: true, regex: `^#${escapeRegex(prefix)}.*:${server}$` }],
      rooms: rooms ?? [],
      ...otherNamespaces,
    },
  };
  const others = Object.entries(existing ?? {}).filter(([key]) => !Object.hasOwn(made, key));
  return { ...made, ...Object.fromEntries(others) };
}

/**
 * Makes the registration with whose token Trestle speaks for users who signed in on a network. It has no URL, so the
 * homeserver sends nothing for it: a namespace of all users would otherwise bring every event of theirs.
 */
export function generateDoublePuppetRegistration(
  serverName: string,
  existing?: RegistrationDocument,
): RegistrationDocument {
  return {
    id: "trestle-double-puppet",
    url: null,
    as_token: existing?.as_token ?? newToken(),
    hs_token: existing?.hs_token ?? newToken(),
    sender_localpart: "trestle-double-puppet",
    rate_limited: false,
    namespaces: { users: [{ exclusive: false, regex: `^@.*:${escapeRegex(serverName)}$` }], aliases: [], rooms: [] },
  };
}

function newToken(): string {
  return randomBytes(32).toString("hex");
}

/** The YAML of a registration file, `comment` (lines) in front of it. */
export function formatRegistration(document: RegistrationDocument, comment = ""): string {
  const head =
    comment === ""
      ? ""
      : `${comment
          .split("\n")
          .map((line) => `# ${line}`.trimEnd())
          .join("\n")}\n`;
  return head + dump(document, { lineWidth: -1, noRefs: true });
}
