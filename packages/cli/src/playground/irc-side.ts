import { type IrcLine, IrcTestClient } from "@trestle/testkit";
import type { PageEvent, SideState } from "./page-events.js";
import { Timeline } from "./timeline.js";

export interface IrcSideOptions {
  readonly host: string;
  readonly port: number;
  readonly person: string;
  readonly friend: string;
  readonly channel: string;
  readonly topic: string;
  readonly tell: (event: PageEvent) => void;
  /** Called with the text of every message of the channel. */
  readonly heard: (text: string) => void;
}

const CAPS = ["message-tags", "server-time", "echo-message", "multi-prefix", "draft/message-redaction"];
const REMEMBERED_LINES = 1_000;

/** The IRC half of the page: a person's client in the channel, over TCP, as any client. */
export class IrcSide {
  readonly #timeline: Timeline;
  readonly #nicks = new Set<string>();
  #names: string[] = [];
  #ids = 0;
  #person: IrcTestClient | undefined;
  #friend: IrcTestClient | undefined;

  private constructor(private readonly options: IrcSideOptions) {
    this.#timeline = new Timeline("network", options.person, options.friend, options.tell);
  }

  /** Connects and joins the channel. */
  static async start(options: IrcSideOptions): Promise<IrcSide> {
    const side = new IrcSide(options);
    side.#person = await side.#connect(options.person, (line) => side.#take(line));
    await side.#person.join(options.channel);
    // Everybody may set the topic, the bridge as well.
    side.#person.mode(options.channel, "-t");
    side.#person.topic(options.channel, options.topic);
    return side;
  }

  get state(): SideState {
    return this.#timeline.state;
  }

  say(text: string, emote = false): void {
    const line = text.replace(/[\r\n\0]+/g, " ");
    if (emote) this.#person?.action(this.options.channel, line);
    else this.#person?.say(this.options.channel, line);
  }

  /** Reacts, or takes the same reaction back. */
  toggleReaction(id: string, key: string): void {
    const given = this.#timeline.ownReaction(id, key) !== undefined;
    const tag = given ? "unreact" : "react";
    this.#person?.raw(`@+draft/reply=${tagValue(id)};+draft/${tag}=${tagValue(key)} TAGMSG ${this.options.channel}`);
  }

  remove(id: string): void {
    this.#person?.raw(`REDACT ${this.options.channel} ${id.replace(/[\s\0]+/g, "")}`);
  }

  setTopic(topic: string): void {
    this.#person?.topic(this.options.channel, topic.replace(/[\r\n\0]+/g, " "));
  }

  /** Whether the connection is still there. */
  get connected(): boolean {
    return this.#person?.closed === false;
  }

  async setFriend(here: boolean): Promise<void> {
    if (here && this.#friend === undefined) {
      this.#friend = await this.#connect(this.options.friend);
      await this.#friend.join(this.options.channel);
    } else if (!here && this.#friend !== undefined) {
      const friend = this.#friend;
      this.#friend = undefined;
      friend.part(this.options.channel, "see you");
      await friend.quit();
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#person?.quit(), this.#friend?.quit()]);
  }

  #connect(nick: string, onLine?: (line: IrcLine) => void): Promise<IrcTestClient> {
    const { host, port } = this.options;
    return IrcTestClient.connect({
      host,
      port,
      nick,
      caps: CAPS,
      remember: REMEMBERED_LINES,
      ...(onLine !== undefined && { onLine }),
    });
  }

  #take(line: IrcLine): void {
    const nick = line.source?.split("!")[0] ?? "";
    const [first = "", second = "", ...rest] = line.params;
    switch (line.command) {
      case "PRIVMSG":
      case "NOTICE":
        if (this.#isOurs(first)) this.#takeMessage(line, nick, second);
        break;
      case "TAGMSG":
        if (this.#isOurs(first)) this.#takeTags(line, nick);
        break;
      case "REDACT":
        if (this.#isOurs(first)) this.#timeline.remove(second);
        break;
      case "JOIN":
        this.#came(nick, line);
        break;
      case "PART":
        this.#went(nick, reasoned(`${nick} left`, second), line);
        break;
      case "QUIT":
        this.#went(nick, reasoned(`${nick} quit`, first), line);
        break;
      case "KICK":
        this.#went(second, reasoned(`${nick} kicked ${second}`, rest[0] ?? ""), line);
        break;
      case "NICK":
        this.#renamed(nick, first, line);
        break;
      case "TOPIC":
        this.#timeline.setTopic(second);
        this.#happened(`${nick} set the topic: ${second}`, line);
        break;
      case "332":
        this.#timeline.setTopic(rest[0] ?? "");
        break;
      case "353":
        this.#names.push(...(line.params.at(-1) ?? "").split(" ").filter((name) => name !== ""));
        break;
      case "366":
        this.#takeNames();
        break;
      default:
    }
  }

  #takeMessage(line: IrcLine, nick: string, said: string): void {
    const action = /^\x01ACTION (.*?)\x01?$/.exec(said)?.[1]; // eslint-disable-line no-control-regex -- CTCP is delimited by \x01
    const style = action !== undefined ? "emote" : line.command === "NOTICE" ? "notice" : "text";
    const text = action ?? said;
    this.#timeline.addMessage({ id: this.#idOf(line), from: { id: nick, name: nick }, style, text, at: timeOf(line) });
    this.options.heard(text);
  }

  #takeTags(line: IrcLine, nick: string): void {
    const target = line.tags.get("+draft/reply") ?? line.tags.get("+reply");
    const [added, removed] = [line.tags.get("+draft/react"), line.tags.get("+draft/unreact")];
    if (target === undefined) return;
    if (added !== undefined) this.#timeline.react(target, this.#idOf(line), added, nick);
    if (removed !== undefined) this.#timeline.unreact(target, removed, nick);
  }

  #came(nick: string, line: IrcLine): void {
    if (this.#nicks.has(nick)) return;
    this.#nicks.add(nick);
    this.#tellMembers();
    this.#happened(`${nick} joined`, line);
  }

  #went(nick: string, what: string, line: IrcLine): void {
    if (!this.#nicks.delete(nick)) return;
    this.#tellMembers();
    this.#happened(what, line);
  }

  #renamed(from: string, to: string, line: IrcLine): void {
    if (!this.#nicks.delete(from)) return;
    this.#nicks.add(to);
    this.#tellMembers();
    this.#happened(`${from} is now ${to}`, line);
  }

  #takeNames(): void {
    this.#nicks.clear();
    for (const name of this.#names) this.#nicks.add(name.replace(/^[@+]+/, ""));
    this.#names = [];
    this.#tellMembers();
  }

  #tellMembers(): void {
    this.#timeline.setMembers([...this.#nicks].map((nick) => ({ id: nick, name: nick })));
  }

  #happened(text: string, line: IrcLine): void {
    this.#timeline.addHappening(this.#idOf(line), text, timeOf(line));
  }

  #idOf(line: IrcLine): string {
    this.#ids += 1;
    return line.tags.get("msgid") ?? `line-${this.#ids}`;
  }

  #isOurs(target: string): boolean {
    return target.toLowerCase() === this.options.channel.toLowerCase();
  }
}

const reasoned = (what: string, reason: string): string => (reason === "" ? what : `${what} (${reason})`);

const ESCAPES: Readonly<Record<string, string>> = { ";": "\\:", " ": "\\s", "\\": "\\\\" };

/** The value of a tag as it is written (IRCv3 message-tags). */
const tagValue = (text: string): string =>
  text.replace(/[\r\n\0]+/g, " ").replace(/[; \\]/g, (character) => ESCAPES[character] ?? character);

function timeOf(line: IrcLine): number {
  const time = Date.parse(line.tags.get("time") ?? "");
  return Number.isNaN(time) ? Date.now() : time;
}
