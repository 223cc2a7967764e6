import type { Failure, RemoteUserId } from "@trestle/core";
import { readMessage, type MessageWhat } from "../content/index.js";
import type { OwnIds } from "../own-ids.js";
import type { Element } from "../stream/index.js";
import type { Archive } from "./archive.js";
import type { Members } from "./members.js";
import { nickOf, stanzaIdOf, type RoomFeatures } from "./muc.js";
import { isUnnamed } from "./unnamed-id.js";

/** A message that a room has shown. */
export interface ShownMessage {
  /** The room's id of it (XEP-0359); what it is known by to the core. */
  readonly id: string;
  readonly nick: string;
  /** Who said it; `undefined` where the bridge did. */
  readonly author: RemoteUserId | undefined;
  /** The id under which the bridge has sent it, where it has. */
  readonly ownId: string | undefined;
  /** The ids that its sender gave it: corrections point to one of them. */
  readonly given: readonly string[];
  /** How many messages it is to Matrix: a text, and files. */
  readonly parts: number;
}

/** What is known of a message before anybody looks into it. */
export interface Origin {
  /** The room's id of it. */
  readonly id: string | undefined;
  readonly nick: string | undefined;
  /** The id under which the bridge has sent it, where it has. */
  readonly ownId: string | undefined;
}

export interface MessagesOptions {
  readonly room: string;
  /** Who asks the archive. */
  readonly asker: () => string;
  readonly archive: Archive;
  readonly members: Members;
  readonly ids: OwnIds;
  readonly features: () => RoomFeatures;
  readonly isOwnNick: (nick: string) => boolean;
}

const KEPT = 1_000;
const MAKE_ROOM = 250;
const PAGES_SEARCHED = 5;

/**
 * The messages of a room, by each of their ids: the latest from memory, those before from the room's archive. What is
 * said of a message refers to the room's id of it, a correction to the sender's own.
 */
export class Messages {
  readonly #options: MessagesOptions;
  readonly #shown = new Map<string, ShownMessage>();
  /** Which message a sender means by an id of theirs. */
  readonly #given = new Map<string, string>();
  /** Of which message another one is the corrected text. */
  readonly #corrected = new Map<string, string>();

  constructor(options: MessagesOptions) {
    this.#options = options;
  }

  originOf(stanza: Element, archivedId?: string): Origin {
    const { room, ids, features, isOwnNick } = this.#options;
    const nick = nickOf(stanza);
    const id = archivedId ?? stanzaIdOf(room, stanza, features());
    const given = stanza.attrs["id"] ?? "";
    // Whoever is not us cannot have our id, unless they have copied it from a message of ours.
    const isOwn = nick !== undefined && isOwnNick(nick) && ids.isOwn(room, given);
    return { id, nick, ownId: isOwn ? given : undefined };
  }

  /** Notes what the room shows. `id` is what the core knows it by. */
  note(stanza: Element, what: MessageWhat, id: string, origin: Origin): ShownMessage | undefined {
    const { nick, ownId } = origin;
    if (nick === undefined) return undefined;
    const author = ownId === undefined ? this.#options.members.senderOf(nick, stanza).id : undefined;
    const message: ShownMessage = { id, nick, author, ownId, given: givenIds(stanza), parts: partsIn(what) };
    put(this.#shown, id, message);
    for (const given of message.given) put(this.#given, `${author ?? ""}\n${given}`, id);
    return message;
  }

  /** What `id` says from now on is a correction of `original`: what is said of the one is said of the other. */
  corrected(id: string, original: string): void {
    put(this.#corrected, id, original);
    const message = this.#shown.get(id);
    for (const given of message?.given ?? []) put(this.#given, `${message?.author ?? ""}\n${given}`, original);
  }

  /** What the core knows a message by that somebody refers to. */
  referredTo(id: string): string {
    const original = this.#corrected.get(id);
    if (original !== undefined) return original;
    if (this.#shown.has(id)) return id;
    // Some clients give the sender's id where the room's is meant.
    for (const message of this.#shown.values()) if (message.given.includes(id)) return message.id;
    return id;
  }

  /** What the core knows a message by that the bridge has sent under this id. */
  ownGiven(id: string): string | undefined {
    return this.#given.get(`\n${id}`);
  }

  recent(id: string): ShownMessage | undefined {
    return this.#shown.get(id);
  }

  /** The message that the room gave this id; `undefined` where nobody has it any more. */
  async find(id: string, signal?: AbortSignal): Promise<ShownMessage | Failure | undefined> {
    const known = this.#shown.get(id);
    if (known || !this.canReferTo(id)) return known;
    const found = await this.#options.archive.find(this.#options.asker(), id, signal);
    return found === undefined || "failed" in found ? found : this.#archived(found.message, found.id);
  }

  /** The message to which its sender gave this id, the latest of those before `before`, an id of the room's. */
  async givenBy(author: RemoteUserId, given: string, before = ""): Promise<string | Failure | undefined> {
    const known = this.#given.get(`${author}\n${given}`);
    const { archive, asker, features } = this.#options;
    if (known !== undefined || !features().archive) return known;
    let at = before;
    for (let page = 0; page < PAGES_SEARCHED; page++) {
      const found = await archive.page(asker(), { before: at });
      if (found === "gone") return undefined;
      if ("failed" in found) return found;
      const hit = found.items.findLast(
        ({ message, id }) => givenIds(message).includes(given) && this.#archived(message, id)?.author === author,
      );
      if (hit) return hit.id;
      const first = found.items[0];
      if (first === undefined || first.id === at) return undefined;
      at = first.id;
    }
    return undefined;
  }

  /** Whether others know a message by what the core knows it by. */
  canReferTo(id: string): boolean {
    const { room, ids, features } = this.#options;
    return features().archive && !isUnnamed(id) && !ids.isOwn(room, id);
  }

  #archived(message: Element, id: string): ShownMessage | undefined {
    return this.note(message, readMessage(message).what, id, this.originOf(message, id));
  }
}

function givenIds(stanza: Element): string[] {
  const origin = stanza.getChild("origin-id", "urn:xmpp:sid:0")?.attrs["id"];
  return [...new Set([stanza.attrs["id"] ?? "", origin ?? ""])].filter((id) => id !== "");
}

function partsIn(what: MessageWhat): number {
  return what.kind === "text" || what.kind === "correction" ? what.contents.length : 1;
}

/** The oldest make room: several at once, for the first of a map stands behind the places of all that were deleted. */
function put<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= KEPT + MAKE_ROOM) return;
  let more = MAKE_ROOM;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    if (--more === 0) return;
  }
}
