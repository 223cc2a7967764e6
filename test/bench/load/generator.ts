import { randomUUID } from "node:crypto";
import type { Plan } from "./api.js";
import { serverName } from "./homeserver.js";
import type { TransactionPusher } from "./pusher.js";

export interface Totals {
  readonly sent: number;
  readonly arrived: number;
  readonly duplicated: number;
  readonly reordered: number;
}

const eventsPerTransaction = 100;
const filler = "The quick brown fox jumps over the lazy dog and runs away";

/** Makes numbered messages and recognises them where they come out. */
export class Generator {
  #next = 0;
  #arrived = 0;
  #duplicated = 0;
  #reordered = 0;
  readonly #sentAt: number[] = [];
  readonly #seen: boolean[] = [];
  readonly #lastOfRoom = new Map<string, number>();
  #latencies: number[] = [];
  /** Keeps the ids of one run apart from those of another on the same data. */
  readonly #run = randomUUID().slice(0, 8);
  #startedAt = 0;
  #firstSentAt = 0;
  #lastArrivedAt = 0;
  #plan: Plan | undefined;
  /** Events that wait for their transaction. */
  readonly #due: string[] = [];
  #busy = false;
  #timer: NodeJS.Timeout | undefined;
  #transaction = 0;

  constructor(private readonly pusher: () => TransactionPusher) {}

  start(plan: Plan): void {
    this.stop();
    this.#plan = plan;
    this.#startedAt = this.#next;
    this.#firstSentAt = performance.now();
    if (plan.load.kind === "backlog") {
      for (let i = 0; i < plan.load.events; i++) this.#make(plan);
    } else if (plan.load.kind === "rate") {
      this.#paced(plan, plan.load.perSecond);
    }
    this.#pump();
  }

  /** Makes no more events; those that are made are still pushed. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#plan = undefined;
  }

  /** A message came out of the bridge. */
  arrived(room: string, content: string): void {
    const mark = content.indexOf("#");
    const number = Number.parseInt(content.slice(mark + 1, mark + 12), 10);
    const sentAt = this.#sentAt[number];
    if (mark < 0 || sentAt === undefined) return;
    if (this.#seen[number] === true) {
      this.#duplicated += 1;
      return;
    }
    this.#seen[number] = true;
    this.#arrived += 1;
    const last = this.#lastOfRoom.get(room) ?? -1;
    if (number < last) this.#reordered += 1;
    else this.#lastOfRoom.set(room, number);
    this.#lastArrivedAt = performance.now();
    this.#latencies.push(this.#lastArrivedAt - sentAt);
    this.#pump();
  }

  totals(): Totals {
    return { sent: this.#next, arrived: this.#arrived, duplicated: this.#duplicated, reordered: this.#reordered };
  }

  /** Milliseconds from the start of the plan to the last arrival. */
  elapsed(): number {
    return this.#lastArrivedAt - this.#firstSentAt;
  }

  /** Takes the latencies since the last time, in milliseconds. */
  takeLatencies(): number[] {
    const taken = this.#latencies;
    this.#latencies = [];
    return taken;
  }

  /** Sends one event to each of the rooms `!seen{from}` to `!seen{to-1}`, which are linked to nothing; resolves when all are answered. */
  async touch(from: number, to: number): Promise<void> {
    for (let room = from; room < to; room += eventsPerTransaction) {
      const events = Array.from({ length: Math.min(eventsPerTransaction, to - room) }, (_, i) =>
        eventJson(`!seen${room + i}:${serverName}`, room + i, `$seen${room + i}`, "said in a room nobody linked"),
      );
      await this.pusher().push(`touch${room}`, `{"events":[${events.join(",")}]}`);
    }
  }

  #paced(plan: Plan, perSecond: number): void {
    const began = performance.now();
    let made = 0;
    this.#timer = setInterval(() => {
      const owed = Math.floor(((performance.now() - began) * perSecond) / 1000);
      for (; made < owed; made++) this.#make(plan);
      this.#pump();
    }, 1);
  }

  #make(plan: Plan): void {
    const number = this.#next++;
    this.#due.push(
      eventJson(
        `!in${number % plan.rooms}:${serverName}`,
        number % plan.senders,
        `$${this.#run}x${number}`,
        `#${number} ${filler}`,
      ),
    );
    this.#sentAt[number] = performance.now();
  }

  #pump(): void {
    if (this.#busy) return;
    const plan = this.#plan;
    if (plan?.load.kind === "closed") {
      const left = (plan.load.events ?? Number.POSITIVE_INFINITY) - (this.#next - this.#startedAt);
      const free = Math.min(plan.load.outstanding - (this.#next - this.#arrived), left);
      for (let i = 0; i < Math.min(free, eventsPerTransaction); i++) this.#make(plan);
    }
    if (this.#due.length === 0) return;
    const events = this.#due.splice(0, plan?.load.kind === "backlog" ? 1 : eventsPerTransaction);
    this.#busy = true;
    void this.pusher()
      .push(`t${++this.#transaction}`, `{"events":[${events.join(",")}]}`)
      .then(() => {
        this.#busy = false;
        this.#pump();
      });
  }
}

/** An event as Synapse pushes it. */
export function eventJson(room: string, sender: number, id: string, body: string): string {
  const user = `@u${sender}:${serverName}`;
  return JSON.stringify({
    content: { body, msgtype: "m.text", "m.mentions": {} },
    event_id: id.padEnd(44, "_"),
    origin_server_ts: Date.now(),
    room_id: room,
    sender: user,
    type: "m.room.message",
    unsigned: { age: 12 },
    user_id: user,
    age: 12,
  });
}
