import { randomUUID } from "node:crypto";
import { RemoteMessageId, retry, type ChannelId, type Failure, type MembershipReceived } from "@trestle/core";
import { readPresence, type Destroyed } from "../content/index.js";
import { failureOf, isPassing, xml, type Element } from "../stream/index.js";
import { Backoff } from "../stream/backoff.js";
import { messageOf } from "../stream/errors.js";
import type { Archive } from "./archive.js";
import type { BridgeAddress } from "./bridge-address.js";
import type { Configuration } from "./configuration.js";
import type { Ghosts } from "./ghosts.js";
import type { RoomInward } from "./inward.js";
import type { Members } from "./members.js";
import type { Messages, Origin } from "./messages.js";
import { NS, unlockQuery } from "./muc.js";
import type { Occupant } from "./occupant.js";
import type { RoomParts } from "./parts.js";
import { Place } from "./place.js";
import type { RoomPicture } from "./room-picture.js";
import type { RoomRanks } from "./room-ranks.js";
import type { ToldSettings } from "./settings.js";

export interface PresenceOptions {
  readonly parts: RoomParts;
  readonly room: string;
  readonly channel: ChannelId;
  readonly watcher: Occupant;
  readonly address: BridgeAddress;
  readonly ghosts: Ghosts;
  readonly archive: Archive;
  readonly inward: RoomInward;
  readonly members: Members;
  readonly messages: Messages;
  readonly configuration: Configuration;
  readonly ranks: RoomRanks;
  readonly settings: ToldSettings;
  readonly picture: RoomPicture;
  /** Reads what is kept of the room; before anything else. */
  readonly load: () => Promise<void>;
  /** A message of ours was found in the archive. */
  readonly shown: (id: string, roomsId: string | undefined) => void;
  /** The core will tell what it has received last. */
  readonly hasHistory: boolean;
}

/**
 * Keeps the bridge's own occupant in a room, and what it sees in order: after every entry the archive is read from
 * where it was left, and what is said meanwhile waits behind that.
 */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #place: Place;
  /** Grows with every entry and every loss: what began under an earlier one is void. */
  #epoch = 0;
  #open = false;
  #why: string;
  /** What came while the archive was read. Nothing is made of it before it is known what the room can do. */
  #waiting: Element[] = [];
  #overflow = false;
  /** What the room said of itself may be true no more. */
  #isStale = false;
  #loaded: Promise<void> | undefined;
  #seeking: Promise<boolean> | undefined;
  #wake: (() => void) | undefined;
  #silence: NodeJS.Timeout | undefined;
  readonly #removals: Backoff;

  constructor(options: PresenceOptions) {
    this.#options = options;
    const { parts, room, hasHistory } = options;
    this.#place = new Place(parts.network.storage, `seen ${room}`, hasHistory, parts.tuning.saveMs);
    this.#why = `${room} was not entered yet`;
    this.#removals = new Backoff(parts.tuning.enterMinMs, parts.tuning.enterMaxMs);
  }

  /** Why nothing can be said in the room now; `undefined` where it can. */
  get whyOut(): string | undefined {
    return this.#open ? undefined : this.#why;
  }

  cursor(cursor: string | null): void {
    this.#place.begin(cursor);
  }

  enter(): void {
    this.#removals.reset();
    this.#close(`${this.#options.room} is being entered`);
    void this.#enter(this.#epoch);
  }

  /** The stream is gone, and with it everybody of ours. */
  lost(): void {
    this.#close("Not connected to the XMPP server");
    this.#options.watcher.lost();
    this.#options.ghosts.lost();
    this.#options.ranks.lost();
  }

  /** The bridge's own occupant is not in the room any more. `told`: what the room said, where it did. */
  removed(told?: Element): void {
    const { parts, room, watcher } = this.#options;
    const left = told && readPresence(told).what;
    if (left?.kind === "occupantLeft" && left.how === "destroyed") {
      this.#destroyed(left.destroyed ?? {});
      return;
    }
    this.#close(`The bridge was removed from ${room}`);
    watcher.forget();
    void this.#enter(this.#epoch, this.#removals.next());
    parts.network.report({ connection: room, state: "waiting", detail: this.#why });
  }

  /** Enters again under another address of the bridge, where that may do more; whether it does. */
  seekRights(): Promise<boolean> {
    this.#seeking ??= this.#seekRights().finally(() => (this.#seeking = undefined));
    return this.#seeking;
  }

  async #seekRights(): Promise<boolean> {
    const { room, address, watcher } = this.#options;
    const epoch = this.#epoch;
    const better = this.#open ? await address.better() : undefined;
    if (better === undefined || epoch !== this.#epoch) return false;
    this.#close(`The bridge enters ${room} again, as somebody who may do more there`);
    await watcher.leave();
    await address.become(better);
    if (epoch + 1 === this.#epoch) void this.#enter(this.#epoch);
    return true;
  }

  /** XEP-0045 §10.9: whoever entered it again would make a new one. */
  #destroyed({ alternative, reason }: Destroyed): void {
    const { parts, room, channel } = this.#options;
    this.#close(`${room} was destroyed by its owner`);
    const where = alternative === undefined ? "" : ` Its people go to ${alternative}.`;
    const notice = `${room} was destroyed by its owner${reason === undefined ? "" : ` (${reason})`}.${where}`;
    parts.network.report({ connection: room, state: "failed", detail: notice });
    parts.network
      .receive({ kind: "channel", id: RemoteMessageId(`destroyed:${randomUUID()}`), channel, deleted: true, notice })
      .catch((error: unknown) => this.#untold(error));
  }

  async close(): Promise<void> {
    this.#close("The bridge stops");
    await this.#place.close();
  }

  /** The room is no longer linked. */
  async forget(): Promise<void> {
    this.#close("The room is not linked any more");
    await this.#place.forget();
  }

  /** Takes a message that was shown to the bridge's own occupant. */
  message(stanza: Element, origin: Origin): Promise<void> | undefined {
    this.#heard();
    if (this.#open) return this.#handle(stanza, origin);
    if (this.#waiting.length >= this.#options.parts.tuning.maxBuffered) {
      // The archive has it all.
      this.#overflow = this.#options.configuration.features.archive;
      this.#waiting = this.#overflow ? [] : this.#waiting.slice(1);
    }
    if (!this.#overflow) this.#waiting.push(stanza);
    return undefined;
  }

  presence(stanza: Element): Promise<void> | undefined {
    this.#heard();
    const seen = this.#options.members.presence(stanza);
    // Who is in the room at the end of the entry is compared then.
    if (!seen || !this.#open) return undefined;
    const ranked = this.#options.ranks.shown(seen.user, seen.item);
    const changed = seen.change && this.#changed(seen.change);
    return changed ? Promise.all([ranked, changed]).then(() => undefined) : ranked;
  }

  /** The room was configured otherwise: it does not say how (XEP-0045 §10.2.1). */
  async configured(): Promise<void> {
    const { configuration } = this.#options;
    const epoch = this.#epoch;
    if (!this.#open || configuration.isAsked) {
      this.#isStale = true;
      return;
    }
    do {
      this.#isStale = false;
      if (await configuration.look()) return;
      if (epoch !== this.#epoch) return;
      await this.tellStanding();
      await this.#options.picture.look();
    } while (this.#wasConfigured());
  }

  /** Says how the room is set and who is what in it, also to a Matrix room that was linked only now. */
  async tellStanding(isNew = false): Promise<void> {
    const { configuration, settings, ranks, picture } = this.#options;
    if (!this.#open) return;
    if (isNew) await picture.insist();
    await (isNew ? settings.insist(configuration.settings) : settings.tell(configuration.settings));
    await ranks.tellAll();
  }

  /** It was configured once more while it was asked. */
  #wasConfigured(): boolean {
    return this.#isStale;
  }

  #changed(change: Omit<MembershipReceived, "id">): Promise<void> | undefined {
    const { network } = this.#options.parts;
    if (change.change === "join" && !network.bridge.allMembers) return undefined;
    return network.receive({ ...change, id: RemoteMessageId(`presence:${randomUUID()}`) });
  }

  #close(why: string): void {
    this.#epoch += 1;
    this.#why = why;
    clearTimeout(this.#silence);
    // Without an archive what waits would be nowhere else; with one it would come from there again.
    if (this.#options.configuration.isKnown && !this.#options.configuration.features.archive) this.#flush();
    this.#open = false;
    this.#waiting = [];
    this.#overflow = false;
    this.#isStale = false;
    this.#options.members.clear();
    this.#options.picture.lost();
    this.#wake?.();
  }

  async #enter(epoch: number, firstWaitMs = 0): Promise<void> {
    const { parts, room } = this.#options;
    const backoff = new Backoff(parts.tuning.enterMinMs, parts.tuning.enterMaxMs);
    let wait = firstWaitMs;
    while (epoch === this.#epoch) {
      if (wait > 0) await this.#sleep(wait);
      if (epoch !== this.#epoch) return;
      let failure: Failure | undefined;
      try {
        failure = await this.#enterOnce(epoch);
      } catch (error) {
        failure = retry(`${room} could not be entered: ${messageOf(error)}`);
      }
      if (epoch !== this.#epoch || failure === undefined) return;
      this.#why = failure.reason;
      if (failure.failed === "permanent") this.#place.refused();
      wait = failure.failed === "permanent" ? parts.tuning.enterMaxMs : (failure.afterMs ?? backoff.next());
      parts.network.report({ connection: room, state: "waiting", detail: failure.reason });
    }
  }

  async #enterOnce(epoch: number): Promise<Failure | undefined> {
    const { parts, room, watcher, configuration, load, hasHistory } = this.#options;
    this.#loaded ??= load();
    await this.#loaded.catch((error: unknown) => {
      this.#loaded = undefined;
      throw error;
    });
    this.#place.entering();
    // The core says of a room that was linked before what it has received last, and may do so late.
    if (!hasHistory) await this.#mark();
    const failure = (await watcher.join()) ?? (await this.#unlock()) ?? (await configuration.look());
    if (failure || epoch !== this.#epoch) return failure;
    await this.#mark();
    const missed = await this.#catchUp(epoch);
    if (missed || epoch !== this.#epoch) return missed;
    this.#open = true;
    this.#flush();
    this.#heard();
    parts.network.report({ connection: room, state: "connected" });
    await this.#compare();
    await this.tellStanding();
    if (this.#wasConfigured()) void this.configured().catch((error: unknown) => this.#untold(error));
    void this.#options.ghosts.enter(() => epoch === this.#epoch);
    // Nobody waits for these.
    void this.seekRights().catch((error: unknown) => this.#untold(error));
    void this.#options.picture.look().catch((error: unknown) => this.#untold(error));
    return undefined;
  }

  /** From when on nothing may be missed, should the bridge be killed before it has read the archive. */
  async #mark(): Promise<void> {
    await this.#place.load();
    await this.#place.mark();
  }

  /** A room that did not exist is closed to others until it is configured. */
  async #unlock(): Promise<Failure | undefined> {
    const { parts, room, watcher } = this.#options;
    if (!watcher.created) return undefined;
    const answer = await parts.stream.request(unlockQuery(watcher.jid, room));
    if (answer.kind === "failure") return retry(answer.failure.reason);
    if (answer.kind === "error") return failureOf(answer.error, `Opening the new room ${room}`);
    watcher.created = false;
    return undefined;
  }

  /** Takes from the archive what came since the last that was taken. */
  async #catchUp(epoch: number): Promise<Failure | undefined> {
    const { parts, room, watcher, archive, messages } = this.#options;
    if (!this.#options.configuration.features.archive) return undefined;
    if (this.#place.isNew) {
      // What was said before the link concerns nobody; what is said from here on is not missed.
      const page = await archive.page(watcher.jid, { before: "", most: 1 });
      if (page === "gone") return retry(`The archive of ${room} cannot be read`);
      if ("failed" in page) return page;
      await this.#place.start(page.items.at(-1)?.id);
      return undefined;
    }
    let byTime = false;
    while (epoch === this.#epoch) {
      this.#overflow = false;
      const page = await archive.page(watcher.jid, byTime ? this.#place.byTime : this.#place.after);
      if (epoch !== this.#epoch) return undefined;
      if (page === "gone") {
        if (byTime) return retry(`The archive of ${room} cannot be read`);
        parts.network.log.warn({ room }, "The archive does not have the last message any more; it is read by time");
        byTime = true;
        continue;
      }
      if ("failed" in page) return page;
      byTime = false;
      parts.metrics.caughtUp(page.items.length);
      for (const { id, at, message } of page.items) {
        // One after the other: where the disk refuses one, none behind it is taken before it.
        await this.#handle(message, messages.originOf(message, id), at);
        if (epoch !== this.#epoch) return undefined;
      }
      if (page.complete && !this.#overflowed()) return undefined;
    }
    return undefined;
  }

  /** More came while the archive was read than was kept; it is in the archive. */
  #overflowed(): boolean {
    return this.#overflow;
  }

  #flush(): void {
    for (const stanza of this.#waiting.splice(0)) {
      this.#handle(stanza, this.#options.messages.originOf(stanza))?.catch((error: unknown) =>
        this.#options.parts.stream.interrupt(`A message could not be taken: ${messageOf(error)}`),
      );
    }
  }

  #handle(stanza: Element, origin: Origin, at?: number): Promise<void> | undefined {
    const { inward, shown } = this.#options;
    if (origin.ownId !== undefined) shown(origin.ownId, origin.id);
    const taken = inward.message(stanza, origin, ...(at === undefined ? [] : [at]));
    return origin.id === undefined ? taken : this.#place.advance(origin.id, taken);
  }

  /** Tells of those who left, and where everybody is wanted of those who came, while nobody of ours looked. */
  async #compare(): Promise<void> {
    const { parts, channel, members } = this.#options;
    const { inAll, inAny } = await parts.network.ghostsIn(channel);
    const { present } = members;
    const event = { kind: "membership", channel } as const;
    for (const id of inAny) if (!present.has(id)) await this.#changed({ ...event, user: { id }, change: "leave" });
    for (const [id, user] of present) if (!inAll.has(id)) await this.#changed({ ...event, user, change: "join" });
  }

  /** XEP-0410: a room may lose somebody without a word. */
  #heard(): void {
    clearTimeout(this.#silence);
    if (!this.#open) return;
    const epoch = this.#epoch;
    this.#silence = setTimeout(() => void this.#selfPing(epoch), this.#options.parts.tuning.selfPingMs);
    this.#silence.unref();
  }

  async #selfPing(epoch: number): Promise<void> {
    const { parts, room, watcher } = this.#options;
    const { nick } = watcher;
    if (nick === undefined || epoch !== this.#epoch) return;
    const ping = xml("iq", { type: "get", from: watcher.jid, to: `${room}/${nick}` }, xml("ping", { xmlns: NS.ping }));
    const answer = await parts.stream.request(ping);
    if (epoch !== this.#epoch) return;
    const isIn =
      answer.kind === "result" ||
      (answer.kind === "error" &&
        ["service-unavailable", "feature-not-implemented", "item-not-found"].includes(answer.error.condition));
    if (isIn || answer.kind === "failure" || isPassing(answer.error)) this.#heard();
    else this.removed();
  }

  #untold(error: unknown): void {
    this.#options.parts.stream.interrupt(`How a room is set could not be told: ${messageOf(error)}`);
  }

  async #sleep(milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
