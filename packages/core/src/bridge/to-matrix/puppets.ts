import { createHmac, timingSafeEqual } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { MatrixEvent } from "../../appservice/event.js";
import type { RoomId, UserId } from "../../connector/ids.js";
import { atMost } from "../../mapping/cache-bound.js";
import type { Logins } from "../../mapping/logins.js";
import { MatrixClient } from "../../matrix/client.js";
import { effectKey } from "../effect-id.js";
import type { BridgeRuntime } from "../runtime.js";

/** Where an event that was sent for a Matrix user carries the proof that the bridge sent it. */
const proofKey = "dev.trestle.puppet";
const refusedForMs = 10 * 60_000;

/**
 * Matrix users who signed in on the network, and for whom the bridge may speak (double puppeting): what they say there is
 * said in Matrix by themselves. They are spoken for with a token of its own, whose registration has no URL: a namespace of
 * all users in the bridge's own registration would bring every event of theirs here.
 */
export class Puppets {
  /** Rooms that refused a user a while ago (not in the room, not allowed to speak): their ghost speaks there meanwhile. */
  readonly #refused = new LRUCache<string, true>({ ...atMost(10_000), ttl: refusedForMs });

  private constructor(
    readonly client: MatrixClient,
    private readonly token: string,
    private readonly logins: Logins,
    private readonly serverName: string,
  ) {}

  /** `undefined` where the configuration names no token. */
  static of(runtime: BridgeRuntime, logins: Logins): Puppets | undefined {
    const { homeserver, delivery } = runtime.global;
    const { doublePuppetToken: token } = homeserver;
    if (token === undefined) return undefined;
    const client = new MatrixClient({
      url: homeserver.url,
      asToken: token,
      connections: homeserver.connections,
      requestTimeoutMs: homeserver.requestTimeout,
      maxRetryAfterMs: delivery.retryMax,
      onExchange: runtime.metrics.exchange,
    });
    return new Puppets(client, token, logins, runtime.serverName);
  }

  /** The Matrix user who is this person of the network and may speak in the room. */
  find(remote: string, room: RoomId): UserId | undefined {
    const user = this.logins.userOf(remote);
    if (user === undefined || !this.mayBe(user)) return undefined;
    return this.#refused.has(`${room}|${user}`) ? undefined : user;
  }

  /** Whether it is somebody who signed in. */
  speaksFor(user: UserId): boolean {
    return this.mayBe(user) && this.logins.has(user);
  }

  /** Whether it is a user of the homeserver: the bridge can be nobody else's. */
  mayBe(user: UserId): boolean {
    return user.endsWith(`:${this.serverName}`);
  }

  /** The room does not let the user speak: the ghost does, for a while. */
  refused(user: UserId, room: RoomId): void {
    this.#refused.set(`${room}|${user}`, true);
  }

  /** The content with the proof that the bridge sent it, for this room alone: a copy that the user forwards is not taken for it. */
  sign(content: Readonly<Record<string, unknown>>, effect: string, room: string): Readonly<Record<string, unknown>> {
    return { ...content, [proofKey]: this.#proof(effect, room) };
  }

  /** Whether the bridge sent this event for its sender. */
  sent({ room_id: room, content }: MatrixEvent): boolean {
    const { [proofKey]: proof, [effectKey]: effect } = content;
    if (typeof proof !== "string" || typeof effect !== "string") return false;
    const expected = Buffer.from(this.#proof(effect, room));
    const given = Buffer.from(proof);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  close(): Promise<void> {
    return this.client.close();
  }

  #proof(effect: string, room: string): string {
    return createHmac("sha256", this.token).update(`${room}\u0000${effect}`).digest("base64url");
  }
}
