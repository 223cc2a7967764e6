import type { Credentials, NetworkFake, NetworkSetting, SayOptions, Seen } from "@trestle/conformance";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { networkOn } from "./running-bridge.js";
import { freePort } from "../../../../test/support/bounded.js";

type Server = Awaited<ReturnType<typeof IrcServer.start>>;
type Message = Parameters<NonNullable<Parameters<Server["judgeMessages"]>[0]>>[0];

const ACCOUNT = "ivy";
const SECRET = "ivy's own secret: 7 owls";
const channels = ["#hall", "#garden"] as const;
/** What a client of ours has reason to send. */
const commands = new Set(
  "BATCH CAP NICK USER PASS AUTHENTICATE JOIN PART QUIT PRIVMSG NOTICE TAGMSG TOPIC MODE WHO WHOX WHOIS NAMES PING PONG KICK INVITE AWAY ISON MONITOR SETNAME USERHOST REDACT CHATHISTORY".split(
    " ",
  ),
);

/** IRC for the conformance suite: the test kit's server, and people on it. */
export class IrcFake implements NetworkFake {
  readonly people = ["Carol", "a[b]\\c", "_x-1`"] as const;
  /** The holder keeps the connections, and what is said on them, while the bridge is away. */
  readonly remembers = true;
  readonly credentials: Credentials = {
    right: [ACCOUNT, SECRET],
    wrong: [ACCOUNT, "no password of hers"],
    secret: SECRET,
    account: ACCOUNT,
  };
  readonly #clients = new Map<string, IrcTestClient>();
  readonly #seen = new Map<string, Seen[]>();
  readonly #topics = new Map<string, string>();
  readonly #refused = new Set<string>();
  /** How many deletions of a channel were looked at. */
  readonly #deleted = new Map<string, number>();
  /** Who types in a channel, of those for whom the bridge speaks. */
  readonly #typing = new Map<string, Set<string>>();
  #server: Server | undefined;

  async start(): Promise<NetworkSetting> {
    for (const kept of [this.#clients, this.#seen, this.#topics, this.#refused, this.#deleted, this.#typing])
      kept.clear();
    this.#server = await IrcServer.start({ port: await freePort(), accounts: { [ACCOUNT]: SECRET } });
    this.#server.judgeMessages((message) => this.#judge(message));
    const [hall, garden] = channels;
    return {
      config: { networks: [networkOn(this.#server.port, { maxLines: 10_000, typing: true })], grace: 20 },
      channels: [`net/${hall}`, `net/${garden}`],
    };
  }

  async stop(): Promise<void> {
    this.#close();
    await this.#server?.stop();
  }

  async say(channel: string, person: string, text: string, options: SayOptions = {}): Promise<string> {
    const name = nameOf(channel);
    const client = await this.#client(person);
    const before = this.#irc.channel(name).log.length;
    if (options.emote === true) client.action(name, text);
    else client.say(name, text);
    const said = await this.#irc.waitFor(() =>
      this.#irc
        .channel(name)
        .log.slice(before)
        .find((each) => each.from === client.nick && each.text.includes(text)),
    );
    return said.tags["msgid"] ?? "";
  }

  seen(channel: string): readonly Seen[] {
    this.#lookAtTopic(nameOf(channel));
    this.#lookAtDeletions(nameOf(channel));
    return this.#list(nameOf(channel));
  }

  async disconnect(): Promise<void> {
    this.#close();
    await this.#irc.stop();
  }

  async reconnect(): Promise<void> {
    await this.#irc.start();
  }

  async setTopic(channel: string, person: string, topic: string): Promise<void> {
    this.#topics.set(nameOf(channel), topic);
    // Whoever came first is the operator, and by default nobody else may set the topic.
    this.#irc.setModes(nameOf(channel), "-t");
    (await this.#client(person)).topic(nameOf(channel), topic);
  }

  async type(channel: string, person: string, isTyping: boolean): Promise<void> {
    (await this.#client(person)).raw(`@+typing=${isTyping ? "active" : "done"} TAGMSG ${nameOf(channel)}`);
  }

  seesTyping(channel: string): boolean {
    return (this.#typing.get(nameOf(channel))?.size ?? 0) > 0;
  }

  refuse(channel: string): Promise<() => void> {
    this.#refused.add(nameOf(channel));
    return Promise.resolve(() => void this.#refused.delete(nameOf(channel)));
  }

  violations(): readonly string[] {
    const theirs = this.#irc.nicks.filter((nick) => !this.#isPerson(nick));
    return theirs.flatMap((nick) =>
      this.#irc.linesFrom(nick).flatMap((line) => {
        const [command = ""] = line.replace(/^(@\S+ +)?(:\S+ +)?/, "").split(" ");
        if (!commands.has(command.toUpperCase()))
          return [`${nick} sent the unknown command ${JSON.stringify(line.slice(0, 100))}`];
        const length = Buffer.byteLength(line.replace(/^@\S+ +/, "")) + 2;
        return length > 512 ? [`${nick} sent a line of ${length} bytes`] : [];
      }),
    );
  }

  get #irc(): Server {
    if (!this.#server) throw new Error("The fake network is not started.");
    return this.#server;
  }

  /** Everything that is said passes here, in order, also across outages. */
  #judge(message: Message): "deliver" | "refuse" {
    if (this.#isPerson(message.from) || !message.to.startsWith("#")) return "deliver";
    if (this.#refused.has(message.to)) return "refuse";
    this.#lookAtTopic(message.to);
    this.#lookAtDeletions(message.to);
    this.#lookAtTyping(message);
    if (message.command === "TAGMSG") {
      this.#reaction(message);
      return "deliver";
    }
    // eslint-disable-next-line no-control-regex -- CTCP is framed by it
    const action = /^\u0001ACTION (.*)\u0001$/.exec(message.text)?.[1];
    const id = message.tags["msgid"];
    const replyTo = message.tags["+draft/reply"];
    const by = message.tags["account"];
    this.#list(message.to).push({
      kind: "message",
      text: action ?? message.text,
      emote: action !== undefined,
      ...(id !== undefined && { id }),
      ...(by !== undefined && { by }),
      ...(replyTo !== undefined && { replyTo }),
    });
    return "deliver";
  }

  /** A topic that nobody of the people set was set by the bridge. */
  #lookAtTopic(channel: string): void {
    const { topic } = this.#irc.channel(channel);
    if (topic === (this.#topics.get(channel) ?? "")) return;
    this.#topics.set(channel, topic);
    if (topic !== "") this.#list(channel).push({ kind: "topic", text: topic });
  }

  #reaction({ to, tags }: Message): void {
    const target = tags["+draft/reply"];
    if (target === undefined) return;
    const { "+draft/react": added, "+draft/unreact": removed } = tags;
    if (added !== undefined) this.#list(to).push({ kind: "reaction", target, key: added });
    if (removed !== undefined) this.#list(to).push({ kind: "reactionRemoved", target, key: removed });
  }

  /** IRCv3 typing: who says something does not type any more. */
  #lookAtTyping({ command, from, to, tags }: Message): void {
    const state = tags["+typing"];
    if (command === "TAGMSG" && state === undefined) return;
    const typing = this.#typing.get(to) ?? new Set();
    this.#typing.set(to, typing);
    if (state === "active") typing.add(from);
    else typing.delete(from);
  }

  #lookAtDeletions(channel: string): void {
    const { redactions } = this.#irc.channel(channel);
    for (const { by, msgid } of redactions.slice(this.#deleted.get(channel) ?? 0))
      if (!this.#isPerson(by)) this.#list(channel).push({ kind: "removal", target: msgid });
    this.#deleted.set(channel, redactions.length);
  }

  async #client(person: string): Promise<IrcTestClient> {
    const known = this.#clients.get(person);
    if (known?.closed === false) return known;
    const client = await IrcTestClient.connect({
      port: this.#irc.port,
      nick: person,
      caps: ["message-tags", "echo-message"],
    });
    this.#clients.set(person, client);
    for (const channel of channels) await client.join(channel);
    return client;
  }

  #isPerson(nick: string): boolean {
    return this.people.some((person) => person === nick);
  }

  #list(channel: string): Seen[] {
    let list = this.#seen.get(channel);
    if (!list) this.#seen.set(channel, (list = []));
    return list;
  }

  #close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }
}

function nameOf(channel: string): string {
  return channel.replace(/^net\//, "");
}
