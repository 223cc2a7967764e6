import { hash } from "node:crypto";
import { readEvent, type MatrixEvent } from "../appservice/event.js";
import { Overloaded } from "../appservice/handler.js";
import type { TransactionBody } from "../appservice/transaction-body.js";
import { RoomId } from "../connector/ids.js";
import { toNetwork } from "../delivery/entry.js";
import type { Cause } from "../delivery/journal.js";
import { isCommand } from "../commands/recognise.js";
import type { Link } from "../mapping/links.js";
import type { AwaitedRooms } from "./awaited-rooms.js";
import { isMisplaced, isOfConversation, isTaken } from "./event-types.js";
import type { LoginAnswers } from "./login-answers.js";
import type { MissedEvents } from "./missed-events.js";
import type { PolicyLists } from "./policy/policy-lists.js";
import { heldLane } from "./room-history.js";
import type { BridgeRuntime } from "./runtime.js";
import type { Puppets } from "./to-matrix/puppets.js";
import type { ToNetworkPayload } from "./to-network/payload.js";

/** How long a transaction waits for room in the journal before the homeserver is asked to keep it. */
const patienceMs = 20_000;
const lookAgainMs = 100;

/** Takes transactions: decides what each event is for, and journals it. Nothing is delivered here. */
export class Intake {
  constructor(
    readonly runtime: BridgeRuntime,
    readonly awaited: AwaitedRooms,
    readonly missed: MissedEvents,
    readonly answers: LoginAnswers,
    readonly puppets: Puppets | undefined,
    readonly policies: PolicyLists,
    readonly ephemeral: (events: readonly unknown[]) => void,
  ) {}

  /** Resolves when every event of the transaction is on disk, or was seen before. */
  async transaction(body: TransactionBody): Promise<void> {
    await this.#waitForRoom();
    const causes: Cause[] = [];
    const held: string[] = [];
    const { version } = this.runtime.links;
    try {
      for (const raw of body.events) {
        const read = readEvent(raw);
        if ("event" in read) {
          const ruled = this.policies.take(read.event);
          if (ruled) await ruled;
          const routed = this.missed.quiet
            ? this.#route(read.event, causes)
            : this.#holdOrRoute(read.event, causes, held);
          if (routed) await routed;
        } else await this.#putAside(raw, read.problem);
      }
      await this.#journal(causes, version);
    } finally {
      if (held.length > 0) this.missed.arrived(held);
    }
    if (body.ephemeral.length > 0) this.ephemeral(body.ephemeral);
  }

  /**
   * Takes events that were held, or found in a room's history. Resolves when they are on disk.
   *
   * @param straight what waits for the rooms they are of follows them
   */
  async take(events: readonly MatrixEvent[], straight = false): Promise<void> {
    const causes: Cause[] = [];
    const { version } = this.runtime.links;
    for (const event of events) await this.#route(event, causes, straight);
    await this.#journal(causes, version);
  }

  /** `linksKnown`: of which version the links were that led the way. A channel may have got another id meanwhile. */
  async #journal(causes: readonly Cause[], linksKnown: number): Promise<void> {
    const { journal, links } = this.runtime;
    if (links.version === linksKnown) await journal.append(causes);
    else {
      await links.settled();
      await journal.append(causes.map((each) => ({ ...each, lane: links.current(each.lane) })));
    }
  }

  async #holdOrRoute(event: MatrixEvent, causes: Cause[], held: string[]): Promise<void> {
    const concerns = isTaken(event.type) && !this.#isOurs(event) && !this.#isAnswer(event);
    if (!concerns || isMisplaced(event) || !(await this.missed.holds(event))) {
      await this.#route(event, causes);
      return;
    }
    held.push(event.room_id);
    if (event.type === "m.room.encryption") await this.runtime.rooms.setEncrypted(RoomId(event.room_id), true);
    if (event.type === "m.room.member" && this.#isForTheBridge(event)) this.awaited.open(RoomId(event.room_id));
    causes.push(cause(heldLane(event.room_id), event.event_id, { via: "held", event }));
  }

  /** Sent by the bridge: by its bot or a ghost, or for somebody who signed in. */
  #isOurs(event: MatrixEvent): boolean {
    return this.runtime.isOwn(event.sender) || (this.puppets?.sent(event) ?? false);
  }

  #route(event: MatrixEvent, causes: Cause[], straight = false): Promise<void> | undefined {
    // What our own users do is the effect of something that was journaled already.
    if (!isTaken(event.type) || isMisplaced(event) || this.#isOurs(event)) return undefined;
    // Whatever else the room is: what is typed into a login is for nobody else.
    if (this.#isAnswer(event)) {
      causes.push(cause(event.room_id, event.event_id, { via: "sealed", event: this.answers.seal(event) }));
      return undefined;
    }
    if (event.type === "m.room.encryption") return this.#encrypted(event, causes);
    if (event.type === "m.room.tombstone") return this.#tombstone(event, causes);
    if (this.#isForTheBridge(event)) {
      causes.push(cause(event.room_id, event.event_id, { via: "room", event }));
      if (event.type !== "m.room.member") return undefined;
    }
    const links = this.runtime.links.ofRoom(event.room_id);
    if (links instanceof Promise) return links.then((loaded) => this.#fanOut(event, loaded, causes, straight));
    this.#fanOut(event, links, causes, straight);
    return undefined;
  }

  /** From this moment on what is said in the new room belongs to the old one's channels. */
  async #tombstone(event: MatrixEvent, causes: Cause[]): Promise<void> {
    await this.awaited.expect(event);
    causes.push(cause(event.room_id, event.event_id, { via: "room", event }));
  }

  /** From this moment on nothing readable may be sent there: it is known before anything else is delivered. */
  async #encrypted(event: MatrixEvent, causes: Cause[]): Promise<void> {
    await this.runtime.rooms.setEncrypted(RoomId(event.room_id), true);
    causes.push(cause(event.room_id, event.event_id, { via: "room", event }));
  }

  #fanOut(event: MatrixEvent, links: readonly Link[], causes: Cause[], straight: boolean): void {
    if (!straight && this.#followsWhatWaits(event, links, causes)) {
      causes.push(cause(event.room_id, event.event_id, { via: "room", event }));
      return;
    }
    for (const { channel } of links) causes.push(cause(channel, event.event_id, { via: "channel", event }));
    if (links.length === 0 && (isSaid(event) || isOfConversation(event.type)))
      causes.push(cause(event.room_id, event.event_id, { via: "room", event }));
  }

  /** A conversation has just been linked, and what was said in it before is still on its way to its channel. */
  #followsWhatWaits({ type, room_id: room }: MatrixEvent, links: readonly Link[], causes: readonly Cause[]): boolean {
    if (!isOfConversation(type) || !links.some(({ kind }) => kind === "direct")) return false;
    const isWaiting = this.runtime.journal.flow(toNetwork)?.has(room) === true;
    return isWaiting || causes.some(({ lane }) => lane === room);
  }

  #isAnswer(event: MatrixEvent): boolean {
    return isSaid(event) && this.answers.isAnswer(event);
  }

  #isForTheBridge(event: MatrixEvent): boolean {
    if (event.type === "m.room.member") return event.state_key !== undefined && this.runtime.isOwn(event.state_key);
    return isCommand(event, this.runtime.config.commandPrefix ?? `!${this.runtime.name}`);
  }

  /** An event nobody can make sense of is kept where an operator sees it; its neighbours go on. */
  async #putAside(raw: unknown, problem: string): Promise<void> {
    const text = JSON.stringify(raw);
    const source = `malformed ${hash("sha256", text, "base64url").slice(0, 32)}`;
    await this.runtime.journal.appendDead(
      { direction: toNetwork, lane: "malformed", source, payload: raw },
      `The homeserver sent an event that is not one: ${problem}.`,
    );
  }

  async #waitForRoom(): Promise<void> {
    const { journal, global, clock } = this.runtime;
    const until = clock.now() + patienceMs;
    while ((journal.flow(toNetwork)?.open ?? 0) >= global.delivery.highWater) {
      if (clock.now() >= until)
        throw new Overloaded(
          `More than ${global.delivery.highWater} events wait for the network; the homeserver keeps the rest.`,
        );
      await new Promise<void>((resolve) => clock.after(lookAgainMs, resolve));
    }
  }
}

function isSaid({ type }: MatrixEvent): boolean {
  return type === "m.room.message" || type === "m.room.encrypted";
}

function cause(lane: string, source: string, payload: ToNetworkPayload): Cause {
  return { direction: toNetwork, lane, source, payload };
}
