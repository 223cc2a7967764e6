import { Readable } from "node:stream";
import { ChannelId, parseJson, RemoteUserId, type RemoteAvatar } from "@trestle/core";
import { z } from "zod";
import { element, ns, readIq } from "../content/index.js";
import { Recent } from "../people/recent.js";
import { avatarId } from "../protocol/index.js";
import type { XmppStream } from "../stream/index.js";
import type { Room } from "./room.js";

/** In bytes: what may be a picture of a person, or of a room. */
const largestPicture = 1024 * 1024;
/** So many are asked for at a time, and so many wait; others are had with a later message. */
const mostAtOnce = 4;
const mostWaiting = 200;
const scheme = "occupant-avatar:";

/** Without a person it is the picture of the room itself. */
const placeSchema = z.object({ room: z.string(), person: z.string().optional(), id: z.string() });

interface Picture {
  readonly data: Buffer;
  readonly mimeType?: string;
}

/**
 * The picture of somebody in a room, by the hash that their presence tells (XEP-0153). It is fetched when the core wants
 * it: when they speak, and their ghost has another one.
 */
export function pictureOf(room: string, person: RemoteUserId, hash: string): RemoteAvatar {
  return { id: hash, url: `remote:${scheme}${JSON.stringify({ room, person, id: hash })}` };
}

/** The picture of a room itself (XEP-0486), by the hash of its bytes. */
export function pictureOfRoom(room: string, hash: string): RemoteAvatar {
  return { id: hash, url: `remote:${scheme}${JSON.stringify({ room, id: hash })}` };
}

/** Fetches pictures of people in rooms and of rooms, through the room (XEP-0054). */
export class OccupantPictures {
  /** The core may want one for several ghosts. */
  readonly #known = new Recent<Picture>(16);
  readonly #asking = new Map<string, Promise<Picture>>();
  readonly #waiting: (() => void)[] = [];
  #underWay = 0;

  constructor(
    private readonly stream: XmppStream,
    private readonly roomOf: (room: ChannelId) => Pick<Room, "nickOf" | "asker"> | undefined,
    private readonly timeoutMs: number,
  ) {}

  /** Whether a reference is that of such a picture. */
  isOne(reference: string): boolean {
    return reference.startsWith(scheme);
  }

  /** Opens a picture; rejects where it is gone, another one, or too large. */
  async open(
    reference: string,
  ): Promise<{ readonly stream: Readable; readonly mimeType?: string; readonly size: number }> {
    const place = parseJson(reference.slice(scheme.length), placeSchema);
    if (!place) throw new Error(`${reference.slice(0, 300)} is no picture of somebody in a room`);
    const { data, mimeType } = this.#known.get(place.id) ?? (await this.#shared(place));
    return { stream: Readable.from([data]), size: data.length, ...(mimeType !== undefined && { mimeType }) };
  }

  /** One question for all who want the same picture. */
  #shared(place: z.output<typeof placeSchema>): Promise<Picture> {
    const asking = this.#asking.get(place.id);
    if (asking) return asking;
    const asked = this.#inTurn(() => this.#ask(place)).finally(() => this.#asking.delete(place.id));
    this.#asking.set(place.id, asked);
    return asked;
  }

  async #inTurn(work: () => Promise<Picture>): Promise<Picture> {
    if (this.#underWay >= mostAtOnce) {
      if (this.#waiting.length >= mostWaiting) throw new Error("Too many pictures are asked for now");
      // Whoever is done hands on their place.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#underWay += 1;
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#underWay -= 1;
    }
  }

  async #ask({ room, person, id }: z.output<typeof placeSchema>): Promise<Picture> {
    const linked = this.roomOf(ChannelId(room));
    const nick = person === undefined ? undefined : linked?.nickOf(RemoteUserId(person));
    if (!linked) throw new Error(`${person ?? "The bridge"} is not in ${room} now`);
    if (person !== undefined && nick === undefined) throw new Error(`${person} is not in ${room} now`);
    const whose = nick === undefined ? room : `${nick} in ${room}`;
    const iq = { type: "get", from: linked.asker, to: nick === undefined ? room : `${room}/${nick}` };
    const card = element("vCard", { xmlns: ns.vcard });
    const answer = await this.stream.request(element("iq", iq, card), { timeoutMs: this.timeoutMs });
    const what = answer.kind === "result" ? readIq(answer.stanza).what : undefined;
    const photo = what?.kind === "vcard" ? what.card.photo : undefined;
    if (photo?.from !== "data") throw new Error(`${whose} has no picture that can be had`);
    if (photo.data.length > largestPicture) throw new Error(`The picture of ${whose} is too large`);
    if (avatarId(photo.data) !== id) throw new Error(`${whose} has another picture by now`);
    this.#known.set(id, photo);
    return photo;
  }
}
