import { UserId, type EventId, type RoomId } from "../../connector/ids.js";
import { dead, type Entry, type Verdict } from "../../delivery/entry.js";
import type { Room } from "../../mapping/rooms.js";
import type { ClientEvent } from "../../matrix/answers.js";
import { classify } from "../../matrix/failure.js";
import type { SendEventRequest } from "../../matrix/requests.js";
import type { MatrixFailure, MatrixResult } from "../../matrix/result.js";
import { effectKey } from "../effect-id.js";
import type { Memberships } from "../memberships.js";
import type { BridgeRuntime } from "../runtime.js";
import { SentLookup } from "../sent-lookup.js";
import type { Puppets } from "./puppets.js";
import type { Speaker } from "./speaker.js";

export type Sent =
  { readonly sent: true; readonly eventId: EventId } | { readonly sent: false; readonly verdict: Verdict };

export interface Outgoing {
  readonly type: string;
  readonly content: Readonly<Record<string, unknown>>;
  readonly effect: string;
}

type SendRequest = SendEventRequest & { readonly txnId: string };

export interface MatrixSenderParts {
  readonly runtime: BridgeRuntime;
  readonly memberships: Memberships;
  readonly puppets: Puppets | undefined;
  /** Gives a ghost the power to speak, where the bridge itself made that take some; resolves to whether it has it now. */
  readonly letSpeak: (room: RoomId, user: UserId) => Promise<boolean>;
  /** Looks whether the homeserver has lost something that matters, and answers with a verdict where it cannot be known. */
  readonly beforeWriting: (entry: Entry, room: RoomId) => Promise<Verdict | undefined> | undefined;
}

/** An event older than this shows its own time instead of the time of its delivery. */
const lateAfterMs = 10_000;

/** Sends events to rooms, exactly once each, as ghosts, as users who signed in, or as the bot. */
export class MatrixSender {
  readonly #lookup: SentLookup;

  readonly runtime: BridgeRuntime;
  readonly memberships: Memberships;
  readonly puppets: Puppets | undefined;

  constructor(readonly parts: MatrixSenderParts) {
    this.runtime = parts.runtime;
    this.memberships = parts.memberships;
    this.puppets = parts.puppets;
    const { client, log } = parts.runtime;
    this.#lookup = new SentLookup({ client, log, isDelivered: (room, event) => this.#isDelivered(room, event) });
  }

  /** Without waiting for anything else where nothing is in doubt and the speaker is known to be in the room. */
  send(entry: Entry, room: Room, speaker: Speaker | undefined, outgoing: Outgoing, happenedAt?: number): Promise<Sent> {
    const ghost = speaker?.as === "ghost" ? speaker.ghost : undefined;
    const isStraight = !entry.maybeSent && speaker?.as !== "puppet" && this.#isReadable(room);
    if (!isStraight || (ghost && !this.memberships.isJoined(room.key, ghost)))
      return this.#prepareAndSend(entry, room, speaker, outgoing, happenedAt);
    const request = this.#request(room, speaker, outgoing, happenedAt);
    this.#lookup.sending(room.id, entry.recovered);
    return this.runtime.client
      .sendEvent(request)
      .then((result) =>
        result.ok
          ? { sent: true, eventId: result.body.eventId }
          : this.#refused(entry, room, speaker, request, result.failure),
      );
  }

  async #prepareAndSend(
    entry: Entry,
    room: Room,
    speaker: Speaker | undefined,
    outgoing: Outgoing,
    happenedAt?: number,
  ): Promise<Sent> {
    const { runtime } = this;
    const ghost = speaker?.as === "ghost" ? speaker.ghost : undefined;
    if (entry.maybeSent) {
      const found = await this.#find(entry, room, speaker, outgoing.effect);
      if (!found.ok && classify(found.failure).action === "retry")
        return { sent: false, verdict: verdictOf(found.failure) };
      if (found.ok && found.body !== null) return { sent: true, eventId: found.body };
    }
    if (ghost && !this.memberships.isJoined(room.key, ghost)) {
      const joined = await this.memberships.ensureJoined(room.key, room.id, ghost);
      if (!joined.ok) return { sent: false, verdict: verdictOf(joined.failure) };
    }
    const notNow = await this.#notNow(entry, room);
    if (notNow) return notNow;
    const request = this.#request(room, speaker, outgoing, happenedAt);
    this.#lookup.sending(room.id, entry.recovered);
    if (speaker?.as === "puppet") return this.#sendAsPuppet(speaker.user, request);
    const result = await runtime.client.sendEvent(request);
    if (result.ok) return { sent: true, eventId: result.body.eventId };
    return this.#refused(entry, room, speaker, request, result.failure);
  }

  /** While all this was prepared the homeserver may have been away, and may have lost that the room is encrypted now. */
  async #notNow(entry: Entry, room: Room): Promise<Sent | undefined> {
    const verdict = await this.parts.beforeWriting(entry, room.id);
    if (verdict) return { sent: false, verdict };
    return this.#isReadable(room) ? undefined : { sent: false, verdict: isEncrypted() };
  }

  #isReadable({ id }: Room): boolean {
    return this.runtime.rooms.cached(id)?.encrypted !== true;
  }

  #request(room: Room, speaker: Speaker | undefined, outgoing: Outgoing, happenedAt: number | undefined): SendRequest {
    const { runtime } = this;
    const late = happenedAt !== undefined && runtime.clock.now() - happenedAt > lateAfterMs;
    return {
      room: room.id,
      type: outgoing.type,
      content: { ...outgoing.content, [effectKey]: outgoing.effect },
      txnId: outgoing.effect,
      asUser: speaker?.user ?? runtime.bot,
      ts: late ? happenedAt : undefined,
      once: true,
    };
  }

  /** Tries once more where the ghost can be helped into the room, or to the right to speak; or a ghost speaks for the bot. */
  async #refused(
    entry: Entry,
    room: Room,
    speaker: Speaker | undefined,
    request: SendRequest,
    failure: MatrixFailure,
  ): Promise<Sent> {
    const { client } = this.runtime;
    const ghost = speaker?.as === "ghost" ? speaker.ghost : undefined;
    let result: Awaited<ReturnType<typeof client.sendEvent>> = { ok: false, failure };
    if (ghost && classify(failure).action === "rejoin") {
      // Somebody removed the ghost, or the homeserver forgot that it joined.
      await this.memberships.left(room.key, ghost);
      const rejoined = await this.memberships.ensureJoined(room.key, room.id, ghost);
      if (!rejoined.ok) return { sent: false, verdict: verdictOf(rejoined.failure) };
      const notNow = await this.#notNow(entry, room);
      if (notNow) return notNow;
      result = await client.sendEvent(request);
    }
    if (!result.ok && ghost && isForbidden(result.failure) && (await this.parts.letSpeak(room.id, ghost.user)))
      result = await client.sendEvent(request);
    if (!result.ok && !speaker && isForbidden(result.failure)) {
      const standIn = await this.#standIn(room, speaker);
      if (standIn !== undefined) result = await client.sendEvent({ ...request, asUser: standIn });
    }
    if (result.ok) return { sent: true, eventId: result.body.eventId };
    return { sent: false, verdict: verdictOf(result.failure) };
  }

  /** Who can look and speak where the bot cannot: in a direct room that began on Matrix, the ghost who was invited. */
  async #standIn(room: Room, speaker: Speaker | undefined): Promise<UserId | undefined> {
    if (speaker) return speaker.as === "ghost" ? speaker.ghost.user : undefined;
    const { links, store } = this.runtime;
    if (!(await links.ofRoom(room.id)).some(({ kind }) => kind === "direct")) return undefined;
    const ghost = await store.get<{ readonly user: string }>(
      "SELECT g.user AS user FROM membership m JOIN ghost g ON g.id = m.ghost WHERE m.room = ? AND m.actual = 1 ORDER BY g.id",
      room.key,
    );
    return ghost && UserId(ghost.user);
  }

  /** Looks in the room for what may have been sent before. */
  async #find(
    entry: Entry,
    room: Room,
    speaker: Speaker | undefined,
    effect: string,
  ): Promise<MatrixResult<EventId | null>> {
    const doubt = {
      room: room.id,
      effect,
      since: entry.at,
      sinceStart: entry.recovered && entry.attempts === 0,
      // What the bot says comes out of other lanes, too.
      inOrder: speaker !== undefined && !entry.replayed,
    };
    const found = await this.#lookup.find({ ...doubt, asUser: this.runtime.bot });
    if (found.ok || classify(found.failure).action === "retry") return found;
    const other = await this.#standIn(room, speaker);
    return other === undefined ? found : this.#lookup.find({ ...doubt, asUser: other });
  }

  /** Whether an event is what became of something that is marked as delivered. */
  async #isDelivered(room: RoomId, { eventId, sender }: ClientEvent): Promise<boolean> {
    const { runtime } = this;
    if (!runtime.isOwn(sender)) return false;
    for (const { channelKey } of await runtime.links.ofRoom(room))
      if ((await runtime.messages.ofEvent(eventId, channelKey)).length > 0) return true;
    return false;
  }

  /** Where the user may not speak in the room, their ghost speaks at the next attempt. */
  async #sendAsPuppet(user: UserId, request: SendRequest): Promise<Sent> {
    const { puppets, runtime } = this;
    if (!puppets) throw new Error("Somebody was to be spoken for without a token.");
    const content = puppets.sign(request.content, request.txnId, request.room);
    const result = await puppets.client.sendEvent({ ...request, content });
    if (result.ok) return { sent: true, eventId: result.body.eventId };
    const { failure } = result;
    const refused = failure.kind === "answered" && (failure.status === 401 || failure.status === 403);
    if (!refused) return { sent: false, verdict: verdictOf(failure) };
    runtime.log.warn(
      { user, room: request.room, failure },
      "A user who signed in could not be spoken for; their ghost speaks",
    );
    puppets.refused(user, request.room);
    return {
      sent: false,
      verdict: { verdict: "retry", reason: "the homeserver does not let the bridge speak for them" },
    };
  }

  /** Redacts as the first of `users` whom the homeserver lets: nobody else than they, and the bot, may have the right to it. */
  async redact(
    entry: Entry,
    room: RoomId,
    users: readonly UserId[],
    eventId: EventId,
    effect: string,
    reason?: string,
  ): Promise<Verdict | undefined> {
    // One that may have been made was perhaps: a homeserver that was restarted would make it once more.
    if (entry.maybeSent) {
      const found = await this.runtime.client.getEvent(room, eventId);
      if (!found.ok && classify(found.failure).action === "retry") return verdictOf(found.failure);
      if (found.ok && found.body !== null && Object.keys(found.body.content).length === 0) return undefined;
    }
    const request = { room, eventId, ...(reason !== undefined && { reason }) };
    let refused: MatrixFailure | undefined;
    for (const [index, asUser] of [...new Set(users)].entries()) {
      const client = this.runtime.isOwn(asUser) ? this.runtime.client : this.puppets?.client;
      const txnId = index === 0 ? effect : `${effect}${index}`;
      const result = await (client ?? this.runtime.client).redact({ ...request, asUser, txnId, once: true });
      if (result.ok) return undefined;
      if (classify(result.failure).action === "retry") return verdictOf(result.failure);
      // What the one with the best right was told says most.
      refused ??= result.failure;
    }
    return refused && verdictOf(refused);
  }
}

/** What becomes of something readable that is for an encrypted room. */
export function isEncrypted(): Verdict {
  return dead(
    "The room is encrypted, and Trestle sends nothing readable into an encrypted room. Link a room without encryption.",
  );
}

function isForbidden(failure: MatrixFailure): boolean {
  return failure.kind === "answered" && failure.status === 403;
}

/** What a failed request means for the entry that needed it. */
export function verdictOf(failure: MatrixFailure): Verdict {
  const { action, applied, afterMs, transport } = classify(failure);
  const reason =
    failure.kind === "answered"
      ? `the homeserver answered ${failure.status} ${failure.errcode}: ${failure.message}`
      : `the homeserver did not answer: ${failure.message}`;
  if (action !== "retry") return { verdict: "dead", reason };
  return {
    verdict: "retry",
    reason,
    transport,
    maybeSent: applied === "maybe",
    ...(afterMs !== undefined && { afterMs }),
  };
}

/** The parts before the one that failed are there already: a homeserver that was restarted would take them again. */
export function afterParts(count: number, verdict: Verdict): Verdict {
  return count > 0 && verdict.verdict === "retry" ? { ...verdict, maybeSent: true } : verdict;
}
