import { setTimeout as delay } from "node:timers/promises";
import { MatrixClient, type MatrixEvent } from "./matrix-client.js";
import type { Author, PageEvent, SideState } from "./page-events.js";
import { Timeline } from "./timeline.js";

export interface MatrixSideOptions {
  readonly homeserverUrl: string;
  /** Localpart and password. */
  readonly person: readonly [user: string, password: string];
  readonly friend: readonly [user: string, password: string];
  readonly roomAlias: string;
  readonly topic: string;
  /** Invited, so that it can link the room. */
  readonly bot: string;
  readonly tell: (event: PageEvent) => void;
  /** Called with the text of every message of the room. */
  readonly heard: (text: string) => void;
}

const SYNC_MS = 30_000;

export interface MatrixText {
  readonly text: string;
  readonly html?: string;
  readonly emote?: boolean;
  /** The first message of the thread it belongs to. */
  readonly thread?: string;
}

/** The Matrix half of the page: a person's client in the room, over HTTP, as any client. */
export class MatrixSide {
  readonly #timeline: Timeline;
  readonly #members = new Map<string, string>();
  #stopped = false;
  /** Ends what is waited for now. One for each wait: `fetch` leaves a listener on every signal it is given. */
  #wait = new AbortController();
  #syncing: Promise<void> = Promise.resolve();

  private constructor(
    private readonly options: MatrixSideOptions,
    private readonly person: MatrixClient,
    private readonly friend: MatrixClient,
    private readonly room: string,
  ) {
    this.#timeline = new Timeline("matrix", person.userId, friend.userId, options.tell);
  }

  /** Signs in and makes the room. */
  static async start(options: MatrixSideOptions): Promise<MatrixSide> {
    const [person, friend] = await Promise.all([
      MatrixClient.login(options.homeserverUrl, ...options.person),
      MatrixClient.login(options.homeserverUrl, ...options.friend),
    ]);
    const room = await person.createRoom({
      preset: "public_chat",
      room_alias_name: options.roomAlias.slice(1, options.roomAlias.indexOf(":")),
      name: "Trestle playground",
      topic: options.topic,
      invite: [options.bot],
      // The bot says in the room what it is bridged to, and sets the topic for the people on IRC.
      power_level_content_override: { users: { [person.userId]: 100, [options.bot]: 50 } },
    });
    const side = new MatrixSide(options, person, friend, room);
    side.#syncing = side.#sync();
    return side;
  }

  get state(): SideState {
    return this.#timeline.state;
  }

  /** `txnId` makes a repeated call harmless. */
  async say({ text, html, emote, thread }: MatrixText, txnId?: string): Promise<void> {
    const msgtype = emote === true ? "m.emote" : "m.text";
    const relation = thread !== undefined && { "m.relates_to": inThread(thread) };
    await this.person.send(this.room, "m.room.message", { msgtype, ...body(text, html), ...relation }, txnId);
  }

  async edit(id: string, { text, html }: MatrixText): Promise<void> {
    await this.person.send(this.room, "m.room.message", {
      msgtype: "m.text",
      ...body(`* ${text}`, html === undefined ? undefined : `* ${html}`),
      "m.new_content": { msgtype: "m.text", ...body(text, html) },
      "m.relates_to": { rel_type: "m.replace", event_id: id },
    });
  }

  async remove(id: string): Promise<void> {
    await this.person.redact(this.room, id);
  }

  /** Reacts, or takes the same reaction back. */
  async toggleReaction(id: string, key: string): Promise<void> {
    const given = this.#timeline.ownReaction(id, key);
    if (given !== undefined) await this.person.redact(this.room, given);
    else
      await this.person.send(this.room, "m.reaction", {
        "m.relates_to": { rel_type: "m.annotation", event_id: id, key },
      });
  }

  async setTopic(topic: string): Promise<void> {
    await this.person.setState(this.room, "m.room.topic", { topic });
  }

  async setFriend(here: boolean): Promise<void> {
    if (here) await this.friend.join(this.room);
    else await this.friend.leave(this.room);
  }

  async close(): Promise<void> {
    this.#stopped = true;
    this.#wait.abort();
    await this.#syncing;
  }

  async #sync(): Promise<void> {
    let since: string | undefined;
    while (!this.#stopped) {
      this.#wait = new AbortController();
      try {
        const answer = await this.person.sync(since, SYNC_MS, this.#wait.signal);
        since = answer.next_batch;
        const room = answer.rooms.join[this.room];
        for (const event of [...(room?.state.events ?? []), ...(room?.timeline.events ?? [])]) this.#take(event);
      } catch (error) {
        await this.#afterFailure(error);
      }
    }
  }

  async #afterFailure(error: unknown): Promise<void> {
    const { signal } = this.#wait;
    if (signal.aborted) return;
    process.stderr.write(`The page's Matrix client tries again in a second: ${String(error)}\n`);
    await delay(1_000, undefined, { signal }).catch(() => undefined);
  }

  #take(event: MatrixEvent): void {
    if (event.type === "m.room.message") this.#takeMessage(event);
    else if (event.type === "m.reaction") this.#takeReaction(event);
    else if (event.type === "m.room.redaction") this.#takeRedaction(event);
    else if (event.type === "m.room.member") this.#takeMember(event);
    else if (event.type === "m.room.topic") this.#takeTopic(event);
  }

  #takeMessage({ content, event_id: id, sender, origin_server_ts: at }: MatrixEvent): void {
    const relation = objectOf(content["m.relates_to"]);
    const replaces = relation["rel_type"] === "m.replace" ? relation["event_id"] : undefined;
    if (typeof replaces === "string") {
      const said = textOf(objectOf(content["m.new_content"]));
      if (said !== undefined) this.#timeline.edit(replaces, sender, said);
      return;
    }
    const said = textOf(content);
    if (said === undefined) return;
    const { msgtype } = content;
    const style = msgtype === "m.emote" ? "emote" : msgtype === "m.notice" ? "notice" : "text";
    const thread = relation["rel_type"] === "m.thread" ? relation["event_id"] : undefined;
    const placed = typeof thread === "string" && { thread };
    this.#timeline.addMessage({ id, from: this.#author(sender), style, at, ...said, ...placed });
    this.options.heard(said.text);
  }

  #takeReaction({ content, event_id: id, sender }: MatrixEvent): void {
    const { event_id: target, key } = objectOf(content["m.relates_to"]);
    if (typeof target === "string" && typeof key === "string") this.#timeline.react(target, id, key, sender);
  }

  #takeRedaction({ content, redacts }: MatrixEvent): void {
    const target = content["redacts"] ?? redacts;
    if (typeof target === "string") this.#timeline.remove(target);
  }

  #takeTopic({ content, event_id: id, sender, origin_server_ts: at }: MatrixEvent): void {
    const topic = typeof content["topic"] === "string" ? content["topic"] : "";
    const known = this.#timeline.state.topic;
    this.#timeline.setTopic(topic);
    if (known !== topic) this.#timeline.addHappening(id, `${this.#author(sender).name} set the topic: ${topic}`, at);
  }

  #takeMember({ content, event_id: id, sender, state_key: user = "", origin_server_ts: at }: MatrixEvent): void {
    const was = this.#members.get(user);
    const name = typeof content["displayname"] === "string" ? content["displayname"] : localpartOf(user);
    const joined = content["membership"] === "join";
    if (joined) this.#members.set(user, name);
    else this.#members.delete(user);
    const what = whatHappened({ was, name, joined, byOther: sender !== user });
    if (what !== undefined) this.#timeline.addHappening(id, what, at);
    this.#timeline.setMembers([...this.#members].map(([member, shown]) => ({ id: member, name: shown })));
  }

  #author(user: string): Author {
    return { id: user, name: this.#members.get(user) ?? localpartOf(user) };
  }
}

/** Clients without threads show it as a reply to the thread's first message. */
function inThread(root: string): object {
  return { rel_type: "m.thread", event_id: root, is_falling_back: true, "m.in_reply_to": { event_id: root } };
}

interface MemberChange {
  /** The name before, of one who was there. */
  readonly was: string | undefined;
  readonly name: string;
  readonly joined: boolean;
  readonly byOther: boolean;
}

function whatHappened({ was, name, joined, byOther }: MemberChange): string | undefined {
  if (joined && was === undefined) return `${name} joined`;
  if (joined) return was === name ? undefined : `${was ?? ""} is now ${name}`;
  if (was === undefined) return undefined;
  return byOther ? `${was} was removed` : `${was} left`;
}

function body(text: string, html: string | undefined): Record<string, string> {
  return html === undefined ? { body: text } : { body: text, format: "org.matrix.custom.html", formatted_body: html };
}

function textOf(content: Readonly<Record<string, unknown>>): { text: string; html?: string } | undefined {
  const { body: text, formatted_body: html } = content;
  if (typeof text !== "string") return undefined;
  return typeof html === "string" ? { text, html } : { text };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

const localpartOf = (user: string): string => user.slice(1).split(":")[0] ?? user;
