import { toMatrixHtml } from "@trestle/rich-text";
import { decodeEntities, reactionKeyOf, reactionNameOf, readContent, readMessage } from "@trestle/slack";
import type { Person, SeenMessage, Workspace } from "@trestle/slack-emulator";
import type { SayOptions } from "./network.js";
import type { PageEvent, SideState } from "./page-events.js";
import { Timeline } from "./timeline.js";

export interface SlackSideOptions {
  readonly workspace: Workspace;
  readonly channel: string;
  /** Handles. */
  readonly person: string;
  readonly friend: string;
  /** The id of the bridge's app. */
  readonly app: string;
  readonly tell: (event: PageEvent) => void;
  /** Called with the text of every message that is seen in the channel or in a thread. */
  readonly heard: (text: string) => void;
}

const LOOK_EVERY_MS = 100;

interface Known {
  shown: string;
  readonly reactions: Set<string>;
}

/** The Slack half of the page: a person in a workspace, and what the channel shows them. */
export class SlackSide {
  readonly #timeline: Timeline;
  readonly #person: Person;
  readonly #known = new Map<string, Known>();
  #members = "";
  readonly #looking: NodeJS.Timeout;

  constructor(private readonly options: SlackSideOptions) {
    const { workspace, person, friend, tell } = options;
    this.#person = workspace.person(person);
    this.#timeline = new Timeline("network", this.#person.id, workspace.person(friend).id, tell);
    this.#look();
    this.#looking = setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  get state(): SideState {
    return this.#timeline.state;
  }

  say(text: string, { emote = false, thread }: SayOptions = {}): void {
    const { channel } = this.options;
    if (emote) this.#person.me(channel, typed(text));
    else this.#person.post(channel, typed(text), thread === undefined ? {} : { threadTs: thread });
  }

  edit(ts: string, text: string): void {
    this.#person.edit(this.#own(ts, "edit"), typed(text));
  }

  remove(ts: string): void {
    this.#person.delete(this.#own(ts, "delete"));
  }

  /** Reacts, or takes the same reaction back. */
  toggleReaction(ts: string, key: string): void {
    const name = reactionNameOf(key);
    if (name === undefined) throw new Error(`Slack has no reaction for ${key}.`);
    const message = { channel: this.options.channel, ts };
    if (!this.#person.unreact(message, name)) this.#person.react(message, name);
  }

  setTopic(topic: string): void {
    this.#person.setTopic(this.options.channel, typed(topic));
  }

  setFriend(here: boolean): void {
    const { workspace, friend, channel } = this.options;
    const person = workspace.person(friend);
    if (here) person.join(channel);
    else person.leave(channel);
  }

  close(): void {
    clearInterval(this.#looking);
  }

  /** Slack lets people change their own messages alone. */
  #own(ts: string, what: string): { readonly channel: string; readonly ts: string } {
    const { workspace, channel } = this.options;
    if (workspace.channel(channel).message(ts)?.userId !== this.#person.id)
      throw new Error(`${this.#person.name} may ${what} only what ${this.#person.name} wrote.`);
    return { channel, ts };
  }

  #look(): void {
    const channel = this.options.workspace.channel(this.options.channel);
    const messages = channel
      .messages()
      .flatMap((message) => (message.ts === message.threadTs ? channel.thread(message.ts) : [message]))
      .sort((a, b) => (a.ts < b.ts ? -1 : a.ts > b.ts ? 1 : 0));
    const gone = new Set(this.#known.keys());
    for (const message of messages) {
      if (message.subtype === "tombstone") continue;
      gone.delete(message.ts);
      this.#take(message);
    }
    for (const ts of gone) {
      this.#known.delete(ts);
      this.#timeline.remove(ts);
    }
    this.#timeline.setTopic(decodeEntities(channel.topic));
    this.#takeMembers(channel.members);
  }

  #take(message: SeenMessage): void {
    const shown = JSON.stringify([message.text, message.raw["blocks"]]);
    const known = this.#known.get(message.ts);
    if (known === undefined) {
      this.#known.set(message.ts, { shown, reactions: new Set() });
      this.#add(message);
    } else if (known.shown !== shown) {
      known.shown = shown;
      this.#timeline.edit(message.ts, authorId(message), this.#contentOf(message));
    }
    this.#takeReactions(message);
  }

  #add(message: SeenMessage): void {
    const { ts, subtype, author, raw, threadTs } = message;
    const at = Math.floor(Number(ts) * 1_000);
    if (subtype !== undefined && !CONTENT.has(subtype)) {
      const named = message.text.replace(/<@(\w+)(?:\|[^>]*)?>/g, (_, id: string) => this.#nameOf(id));
      const happened = named === message.text ? `${author} ${named}` : named;
      this.#timeline.addHappening(ts, decodeEntities(happened), at);
      return;
    }
    const content = this.#contentOf(message);
    this.#timeline.addMessage({
      id: ts,
      from: { id: authorId(message), name: author },
      relayed: raw["app_id"] === this.options.app,
      style: subtype === "me_message" ? "emote" : "text",
      at,
      ...content,
      ...(threadTs !== undefined && threadTs !== ts && { thread: threadTs }),
    });
    this.options.heard(content.text);
  }

  #takeReactions({ ts, reactions }: SeenMessage): void {
    const known = this.#known.get(ts)?.reactions ?? new Set();
    const now = new Map<string, { readonly name: string; readonly user: string }>();
    for (const [name, users] of Object.entries(reactions))
      for (const user of users) now.set(`${ts} ${name} ${user}`, { name, user });
    for (const [id, { name, user }] of now) {
      if (known.has(id)) continue;
      known.add(id);
      this.#timeline.react(ts, id, reactionKeyOf(name), user);
    }
    for (const id of known) {
      if (now.has(id)) continue;
      known.delete(id);
      this.#timeline.remove(id);
    }
  }

  #takeMembers(members: readonly string[]): void {
    const key = members.join(" ");
    if (key === this.#members) return;
    this.#members = key;
    this.#timeline.setMembers(members.map((id) => ({ id, name: this.#nameOf(id) })));
  }

  /** What is typed to change it, and what is shown. */
  #contentOf({ text, raw, files }: SeenMessage): { readonly text: string; readonly html: string } {
    const user = (id: string): { readonly name: string } => ({ name: this.#nameOf(id) });
    const html = toMatrixHtml(readContent(readMessage(raw), { names: { user } }).body);
    return { text: decodeEntities(text), html: files.length === 0 ? html : `${html} (with a file)` };
  }

  #nameOf(user: string): string {
    return this.options.workspace.people().find(({ id }) => id === user)?.name ?? user;
  }
}

/** What the channel says, besides what happens in it. */
const CONTENT: ReadonlySet<string> = new Set(["bot_message", "me_message", "thread_broadcast", "file_share"]);

const authorId = ({ userId, botId, author }: SeenMessage): string => userId ?? `${botId ?? ""} ${author}`;

/** What people type is escaped by Slack's clients. */
const typed = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
