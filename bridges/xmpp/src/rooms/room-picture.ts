import { parseJson, RemoteMessageId, type ChannelId, type Network } from "@trestle/core";
import { z } from "zod";
import { element, ns, readIq, readPresence } from "../content/index.js";
import type { XmppMetrics } from "../metrics.js";
import { avatarId } from "../protocol/index.js";
import type { Element, XmppStream } from "../stream/index.js";
import { pictureOfRoom } from "./occupant-pictures.js";

const storedSchema = z.object({ hash: z.string(), changes: z.number(), setting: z.string().optional() });

export interface RoomPictureOptions {
  readonly stream: XmppStream;
  readonly network: Network;
  readonly metrics: XmppMetrics;
  readonly room: string;
  readonly channel: ChannelId;
  /** The bridge's own occupant. */
  readonly asker: () => string;
  /** The room has a vCard. */
  readonly isPossible: () => boolean;
}

/**
 * The picture of a room (XEP-0486), as Matrix was last told of it, by the SHA-1 of its bytes; empty where it has none. Rooms
 * tell it in a presence of their own, or say that something about them has changed, and are then asked for their vCard.
 */
export class RoomPicture {
  #known: z.output<typeof storedSchema> = { hash: "", changes: 0 };
  /** The room has told its picture since it was entered or asked: it need not be asked. */
  #isTold = false;
  #timesTold = 0;

  constructor(private readonly options: RoomPictureOptions) {}

  async load(): Promise<void> {
    const stored = await this.options.network.storage.get(this.#key);
    const parsed = stored === undefined ? undefined : parseJson(stored, storedSchema);
    if (parsed) this.#known = parsed;
  }

  async forget(): Promise<void> {
    await this.options.network.storage.delete(this.#key);
  }

  /** The bridge is not in the room: what it told may be true no more. */
  lost(): void {
    this.#isTold = false;
  }

  /** Whether the room is known to have this picture, and nothing else is being set. */
  is(hash: string): boolean {
    return this.#known.hash === hash && this.#known.setting === undefined;
  }

  /** Takes a presence of the room itself. */
  presence(stanza: Element): Promise<void> | undefined {
    const { what } = readPresence(stanza);
    const hash = what.kind === "available" || what.kind === "occupant" ? what.avatarHash : undefined;
    if (hash === undefined) return undefined;
    this.#isTold = true;
    this.#timesTold += 1;
    return this.#told(hash);
  }

  /** The room was entered, or something about it has changed. What cannot be had now is asked the next time. */
  async look(): Promise<void> {
    const { stream, network, room, asker, isPossible } = this.options;
    const [wasTold, before] = [this.#isTold, this.#timesTold];
    this.#isTold = false;
    if (wasTold || !isPossible()) return;
    const answer = await stream.request(
      element("iq", { type: "get", from: asker(), to: room }, element("vCard", { xmlns: ns.vcard })),
    );
    // What it has told meanwhile is newer than what it may have looked up before.
    if (answer.kind === "failure" || this.#timesTold > before) return;
    if (answer.kind === "error") {
      if (answer.error.condition === "item-not-found") await this.#told("");
      else network.log.info({ room, error: answer.error }, "The picture of a room could not be asked for");
      return;
    }
    const { what } = readIq(answer.stanza);
    const photo = what.kind === "vcard" ? what.card.photo : undefined;
    await this.#told(photo?.from === "data" ? avatarId(photo.data) : "");
  }

  /** Another Matrix room was linked to it, which does not know of it. */
  async insist(): Promise<void> {
    if (this.#known.hash !== "") await this.#tell(this.#known.hash);
  }

  /** It is about to be set for Matrix: when the room tells of it, that is no news. On disk when it resolves. */
  async setting(hash: string): Promise<void> {
    await this.#keep({ ...this.#known, setting: hash });
  }

  /** It was set, or the room refused it. */
  async settled(isSet: boolean): Promise<void> {
    const { setting, ...known } = this.#known;
    if (isSet) this.options.metrics.roomPicture("out");
    await this.#keep(isSet && setting !== undefined ? { ...known, hash: setting } : known);
  }

  async #told(hash: string): Promise<void> {
    const { setting, ...known } = this.#known;
    if (hash === setting) await this.#keep({ ...known, hash });
    else if (hash !== known.hash) await this.#tell(hash);
  }

  async #tell(hash: string): Promise<void> {
    const { network, metrics, room, channel } = this.options;
    const before = this.#known;
    const changes = before.changes + 1;
    this.#known = { ...before, hash, changes };
    const picture = hash === "" ? { id: "", url: "" } : pictureOfRoom(room, hash);
    const id = RemoteMessageId(`picture:${changes}:${hash}`);
    try {
      await network.receive({ kind: "channel", id, channel, picture });
    } catch (error) {
      this.#known = before;
      throw error;
    }
    metrics.roomPicture("in");
    await this.#keep(this.#known);
  }

  async #keep(known: z.output<typeof storedSchema>): Promise<void> {
    this.#known = known;
    await this.options.network.storage.set(this.#key, JSON.stringify(known));
  }

  get #key(): string {
    return `picture ${this.options.room}`;
  }
}
