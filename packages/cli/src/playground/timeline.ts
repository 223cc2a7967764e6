import type { Author, HappeningItem, Item, MessageItem, PageEvent, Reaction, Side, SideState } from "./page-events.js";

const KEEP_ITEMS = 400;

interface Message {
  item: Omit<MessageItem, "reactions">;
  /** Who reacted with what, by the id of the reaction. */
  readonly reactions: Map<string, { readonly key: string; readonly by: string }>;
}

/** What one side of the page shows, and tells whenever it changes. */
export class Timeline {
  readonly #entries = new Map<string, Message | HappeningItem>();
  #members: readonly Author[] = [];
  #topic = "";
  #friendHere = false;

  constructor(
    private readonly side: Side,
    /** The person at the page. */
    private readonly person: string,
    /** The one who comes and goes at the press of a button. */
    private readonly friend: string,
    private readonly tell: (event: PageEvent) => void,
  ) {}

  get state(): SideState {
    return {
      items: [...this.#entries.values()].map((entry) => this.#shown(entry)),
      members: this.#members,
      topic: this.#topic,
      friendHere: this.#friendHere,
    };
  }

  addMessage(item: Omit<MessageItem, "kind" | "own" | "edited" | "deleted" | "reactions">): void {
    const own = item.from.id === this.person;
    this.#add(item.id, {
      item: { ...item, kind: "message", own, edited: false, deleted: false },
      reactions: new Map(),
    });
  }

  addHappening(id: string, text: string, at: number): void {
    this.#add(id, { kind: "happening", id, text, at });
  }

  edit(id: string, by: string, change: Pick<MessageItem, "text"> & { readonly html?: string }): void {
    const message = this.#message(id);
    if (message === undefined || message.item.from.id !== by) return;
    const { html: _old, ...rest } = message.item;
    message.item = { ...rest, ...change, edited: true };
    this.#tellItem(message);
  }

  react(id: string, reactionId: string, key: string, by: string): void {
    const message = this.#message(id);
    if (message === undefined) return;
    message.reactions.set(reactionId, { key, by });
    this.#tellItem(message);
  }

  /** Takes a reaction back that is known by who gave it. */
  unreact(id: string, key: string, by: string): void {
    const message = this.#message(id);
    if (message === undefined) return;
    for (const [reactionId, reaction] of message.reactions)
      if (reaction.key === key && reaction.by === by) message.reactions.delete(reactionId);
    this.#tellItem(message);
  }

  /** Deletes a message, or takes a reaction back. */
  remove(id: string): void {
    const message = this.#message(id);
    if (message !== undefined) {
      const { html: _html, ...rest } = message.item;
      message.item = { ...rest, text: "", deleted: true };
      this.#tellItem(message);
      return;
    }
    for (const entry of this.#entries.values()) {
      if ("reactions" in entry && entry.reactions.delete(id)) this.#tellItem(entry);
    }
  }

  /** The id of the reaction that the person at the page gave, to take it back. */
  ownReaction(id: string, key: string): string | undefined {
    const reactions = this.#message(id)?.reactions ?? [];
    for (const [reactionId, reaction] of reactions) {
      if (sameEmoji(reaction.key) === sameEmoji(key) && reaction.by === this.person) return reactionId;
    }
    return undefined;
  }

  setTopic(topic: string): void {
    if (topic === this.#topic) return;
    this.#topic = topic;
    this.tell({ type: "topic", side: this.side, topic });
  }

  setMembers(members: readonly Author[]): void {
    this.#members = members;
    this.#friendHere = members.some(({ id }) => id === this.friend);
    this.tell({ type: "people", side: this.side, members, friendHere: this.#friendHere });
  }

  #message(id: string): Message | undefined {
    const entry = this.#entries.get(id);
    return entry !== undefined && "reactions" in entry ? entry : undefined;
  }

  #add(id: string, entry: Message | HappeningItem): void {
    this.#entries.set(id, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= KEEP_ITEMS) break;
      this.#entries.delete(oldest);
    }
    this.#tellItem(entry);
  }

  #tellItem(entry: Message | HappeningItem): void {
    this.tell({ type: "item", side: this.side, item: this.#shown(entry) });
  }

  #shown(entry: Message | HappeningItem): Item {
    if (!("reactions" in entry)) return entry;
    const counts = new Map<string, Reaction>();
    for (const { key, by } of entry.reactions.values()) {
      const { count, own, key: shown } = counts.get(sameEmoji(key)) ?? { key, count: 0, own: false };
      counts.set(sameEmoji(key), { key: shown, count: count + 1, own: own || by === this.person });
    }
    return { ...entry.item, reactions: [...counts.values()] };
  }
}

/** Some networks write an emoji with a variation selector (U+FE0F) and some without; to people it is the same. */
const sameEmoji = (key: string): string => key.replaceAll("\uFE0F", "");
