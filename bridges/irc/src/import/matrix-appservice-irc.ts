import { type ImportContext, type Importer, type ImportRecord, UserId } from "@trestle/core";
import { configSchema, type NetworkConfig } from "../config.js";
import { channelIdOf, queryIdOf, remoteUserIdOf } from "../network/ids.js";
import { chosenNickKey } from "../network/nicks/chosen-nicks.js";
import { isPlainNick } from "../network/nicks/nick-maker.js";
import { fold } from "../wire/casemapping.js";
import { KeptInNedb } from "./kept-nedb.js";
import { KeptInPostgres } from "./kept-postgres.js";
import type { Kept, KeptChannel, KeptQuery, KeptUser } from "./kept.js";
import { KeptPasswords } from "./passwords.js";

/** Names the file of the key with which passwords were encrypted. */
export const PASSKEY_VARIABLE = "MATRIX_APPSERVICE_IRC_PASSKEY";

/** Takes over from matrix-appservice-irc. */
export const matrixAppserviceIrc: Importer = {
  description:
    "matrix-appservice-irc: the URL of its PostgreSQL database (postgres://user@host/database; the password may come in PGPASSWORD), or the directory of its NeDB files; " +
    `${PASSKEY_VARIABLE} names the file of its passwordEncryptionKeyPath`,
  async *read(source, context) {
    const kept = /^postgres(?:ql)?:\/\//i.test(source)
      ? await KeptInPostgres.open(source)
      : await KeptInNedb.open(source.replace(/^nedb:\/\//, ""));
    try {
      yield* new Translation(kept, context).records();
    } finally {
      await kept.close();
    }
  },
};

const NOT_CONFIGURED =
  "its network is not in the configuration: add it under network.networks with the same host, and import again";

class Translation {
  readonly #networks: readonly NetworkConfig[];
  readonly #passwords: KeptPasswords | undefined;

  constructor(
    private readonly kept: Kept,
    { config, environment }: ImportContext,
  ) {
    const parsed = configSchema.safeParse(config);
    if (!parsed.success) throw new Error("The network: section of the bridge in the configuration is not valid.");
    this.#networks = parsed.data.networks;
    const key = environment[PASSKEY_VARIABLE];
    this.#passwords = key === undefined || key === "" ? undefined : KeptPasswords.open(key);
  }

  async *records(): AsyncIterable<ImportRecord> {
    for await (const channel of this.kept.channels()) yield this.#channel(channel);
    for await (const query of this.kept.queries()) yield* this.#query(query);
    for await (const user of this.kept.users()) yield* this.#user(user);
    for (const [subject, count] of this.kept.unreadable)
      yield { kind: "leftOut", reason: "it could not be read", subject: `${subject} (${count})` };
  }

  #channel({ room, domain, channel }: KeptChannel): ImportRecord {
    const network = this.#networkOf(domain);
    if (!network) return { kind: "leftOut", reason: NOT_CONFIGURED, subject: `${room} ${domain} ${channel}` };
    const id = channelIdOf(network.name, fold(channel, "rfc1459"));
    return { kind: "link", room, channel: id, channelName: this.#networks.length === 1 ? channel : id };
  }

  *#query({ room, domain, nick, user, ghost }: KeptQuery): Iterable<ImportRecord> {
    const network = this.#networkOf(domain);
    if (!network) {
      yield { kind: "leftOut", reason: NOT_CONFIGURED, subject: `${room} ${domain} ${nick}` };
      return;
    }
    const folded = fold(nick, "rfc1459");
    yield { kind: "ghost", remote: remoteUserIdOf(network.name, folded), user: ghost, name: nick };
    yield { kind: "link", room, channel: queryIdOf(network.name, folded, UserId(user)), channelName: nick };
  }

  *#user({ user, domain, nick, username, password }: KeptUser): Iterable<ImportRecord> {
    const network = this.#networkOf(domain);
    if (!network) {
      yield { kind: "leftOut", reason: NOT_CONFIGURED, subject: `the settings of ${user} on ${domain}` };
      return;
    }
    if (nick !== undefined) yield this.#nick(user, network, nick);
    if (password !== undefined) yield this.#login(user, network, nick ?? username, password);
  }

  /** The nick that somebody had chosen is the one that they have chosen here. */
  #nick(user: string, { name, chosenNicks }: NetworkConfig, nick: string): ImportRecord {
    if (chosenNicks && isPlainNick(nick)) return { kind: "value", key: chosenNickKey(name, user), value: nick };
    const reason = chosenNicks
      ? "the nick cannot be one here: it is made of the display name until they choose another (nick)"
      : "chosenNicks is switched off for the network: nicks are made of display names";
    return { kind: "toDo", reason, subject: `${user} was ${nick} on ${name}` };
  }

  #login(user: string, network: NetworkConfig, account: string | undefined, encrypted: string): ImportRecord {
    const subject = `${user} on ${network.name}`;
    if (!this.#passwords)
      return {
        kind: "toDo",
        reason: `passwords are encrypted: set ${PASSKEY_VARIABLE} to the file of passwordEncryptionKeyPath and import again`,
        subject,
      };
    const password = this.#passwords.decrypt(encrypted);
    if (password === undefined)
      return { kind: "toDo", reason: "the password was encrypted with another key: they sign in anew", subject };
    // It kept the password as it was typed for PASS: "account:password", or the password of the nick's account.
    const colon = /^([^\s:]+):(.+)$/s.exec(password);
    const name = colon?.[1] ?? account;
    if (name === undefined)
      return { kind: "toDo", reason: "it is not known whose account the password is for: they sign in anew", subject };
    const secret = { network: network.name, method: "password", account: name, password: colon?.[2] ?? password };
    return { kind: "login", user, network: network.name, account: { name: `${name} on ${network.name}`, secret } };
  }

  #networkOf(domain: string): NetworkConfig | undefined {
    const same = (host: string): boolean => host === domain || host.replaceAll(".", "_") === domain;
    return this.#networks.find(
      ({ host, fallbacks }) => same(host) || fallbacks.some((each) => same(each.replace(/:\d+$/, ""))),
    );
  }
}
