import { z } from "zod";
import { withoutCodes } from "../wire/formatting-codes.js";
import { isUnspoken } from "./trace.js";

/** How many lines that were seen are remembered. */
const RECENT = 32;

/** What became of lines that were written. */
export type Verdict =
  | { readonly verdict: "sent"; readonly id: string | undefined }
  /** The server said no: surely not delivered. */
  | { readonly verdict: "refused"; readonly reason: string }
  /** Surely not delivered, and to be tried again: the connection ended before, or the server refuses it only for now. */
  | { readonly verdict: "absent"; readonly reason: string }
  /** The connection ended before anything was known. */
  | { readonly verdict: "unknown"; readonly reason: string };

/** Why the server said no, and whether it may say otherwise soon. */
export interface Refusal {
  readonly reason: string;
  readonly mayPass: boolean;
}

const TAKEN: Verdict = { verdict: "sent", id: undefined };

/** What is kept with the holder until the verdict, so that it can be reached after a restart too. */
export interface DeliveryMeta {
  /** The channel or nick, folded. */
  readonly target: string;
  /** The trace of each line (`traceOf`); empty for commands that do not come back. */
  readonly texts: readonly string[];
  /** A server that has dealt with it may say nothing, although it shows us what we say ourselves. */
  readonly unshown?: true | undefined;
  /** The server takes or refuses the lines as one. */
  readonly together?: true | undefined;
  /** A refusal may name this instead of the target, folded. */
  readonly about?: string | undefined;
}

const metaSchema = z.strictObject({
  target: z.string(),
  texts: z.array(z.string()),
  unshown: z.literal(true).optional(),
  together: z.literal(true).optional(),
  about: z.string().optional(),
});
const resultSchema = z.discriminatedUnion("verdict", [
  z.strictObject({ verdict: z.literal("sent"), id: z.string().optional() }),
  z.strictObject({ verdict: z.enum(["refused", "absent"]), reason: z.string() }),
]);

export function encodeMeta(meta: DeliveryMeta): string {
  return JSON.stringify(meta);
}

export function decodeMeta(text: string): DeliveryMeta {
  return metaSchema.parse(JSON.parse(text));
}

export function encodeVerdict(verdict: Exclude<Verdict, { verdict: "unknown" }>): string {
  return JSON.stringify(verdict);
}

export function decodeVerdict(text: string): Verdict {
  const result = resultSchema.parse(JSON.parse(text));
  return result.verdict === "sent" ? { verdict: "sent", id: result.id } : result;
}

/** A server may strip formatting and spaces. */
function comparable(text: string): string {
  if (isUnspoken(text)) return text;
  return withoutCodes(text).replace(/\s+/g, " ").trim();
}

function lineOf(target: string, compared: string): string {
  return `${target}\n${compared}`;
}

/** Who has seen a line: the connection that said it, by an echo, or the bot in the channel. */
export type Witness = "self" | "bot";

interface Delivery extends DeliveryMeta {
  readonly key: string;
  /** Texts that have not come back yet, as they are compared. */
  readonly missing: string[];
  /** So many lines were refused for now, lastly for this reason. */
  putOff: number;
  putOffFor: string;
  /** Others saw us leave before they saw these lines. */
  left: boolean;
  /** Something else of ours was seen in the target meanwhile: perhaps these lines, changed by the server. */
  changed: boolean;
  id: string | undefined;
  /** The barrier after which the server has dealt with the lines. */
  barrier: number | undefined;
  readonly waiting: ((verdict: Verdict) => void)[];
}

/**
 * The lines of one connection of which it is not known yet what the server did with them. Proof comes, whichever is
 * first, from a labeled response, an echo, the bot who saw them in the channel, an error numeric, or a PONG to a PING
 * that was written after them.
 */
export class Deliveries {
  readonly #open = new Map<string, Delivery>();
  /** Lines whose verdict is known and that the other witness may still report. */
  readonly #recent: { readonly line: string; readonly seenBy: Witness }[] = [];

  /** `onVerdict` is told before anybody who waits. */
  constructor(private readonly onVerdict: (key: string, verdict: Verdict) => void) {}

  get keys(): readonly string[] {
    return [...this.#open.keys()];
  }

  has(key: string): boolean {
    return this.#open.has(key);
  }

  begin(key: string, meta: DeliveryMeta): void {
    this.#open.set(key, {
      key,
      ...meta,
      missing: meta.texts.map(comparable),
      changed: false,
      putOff: 0,
      putOffFor: "",
      left: false,
      id: undefined,
      barrier: undefined,
      waiting: [],
    });
  }

  verdictOf(key: string): Promise<Verdict> {
    const delivery = this.#open.get(key);
    if (!delivery) return Promise.resolve({ verdict: "unknown", reason: "nothing is known of it" });
    return new Promise((resolve) => delivery.waiting.push(resolve));
  }

  /** A response to `label`, which is the key, a dot and the number of the line. */
  labelled(label: string, verdict: Verdict): boolean {
    const { delivery, text } = this.#lineWith(label);
    if (!delivery || text === undefined) return false;
    if (verdict.verdict === "sent") this.#arrived(delivery, comparable(text), verdict.id, "self");
    else this.#settle(delivery, verdict);
    return true;
  }

  /** A line of ours was seen in (or by) `target`: by the connection itself, or by the bot. */
  seen(witness: Witness, target: string, text: string, id: string | undefined): void {
    const compared = comparable(text);
    const line = lineOf(target, compared);
    // The second witness of a line tells nothing about the next, which may read the same.
    const known = this.#recent.findIndex((recent) => recent.line === line && recent.seenBy !== witness);
    if (known !== -1) {
      this.#recent.splice(known, 1);
      return;
    }
    const open = [...this.#open.values()].filter((delivery) => delivery.target === target);
    const match = open.find(({ missing }) => missing.includes(compared));
    if (match) this.#arrived(match, compared, id, witness);
    else if (open[0] && !isUnspoken(text)) open[0].changed = true;
  }

  /** The server has dealt with the line of `label` and had nothing to say; `silence` is what that means of a message. */
  unanswered(label: string, silence: Verdict): boolean {
    const { delivery, text } = this.#lineWith(label);
    const isTaken = delivery?.unshown === true || (text !== undefined && isUnspoken(text));
    return this.labelled(label, isTaken ? TAKEN : silence);
  }

  /** The server refused the line of `label`. */
  refusedLabel(label: string, refusal: Refusal): boolean {
    const { delivery, text } = this.#lineWith(label);
    if (!delivery || text === undefined) return false;
    this.#refuse(delivery, refusal, comparable(text));
    return true;
  }

  /** The server refused the oldest line to `target`. */
  refused(target: string, refusal: Refusal): boolean {
    for (const delivery of this.#open.values()) {
      if (delivery.target !== target && delivery.about !== target) continue;
      this.#refuse(delivery, refusal);
      return true;
    }
    return false;
  }

  /** The server refused the line with this trace. */
  refusedLine(trace: string, reason: string): boolean {
    const delivery = [...this.#open.values()].find(({ missing }) => missing.includes(trace));
    if (delivery) this.#settle(delivery, { verdict: "refused", reason });
    return delivery !== undefined;
  }

  /** The server refused all of an effect. */
  refusedKey(key: string, reason: string): void {
    const delivery = this.#open.get(key);
    if (delivery) this.#settle(delivery, { verdict: "refused", reason });
  }

  /** A PING with this number was written; what was begun before has been dealt with when its PONG comes. */
  barrierSet(number: number): void {
    for (const delivery of this.#open.values()) delivery.barrier ??= number;
  }

  /** `silence` is what it means that the server has said nothing about a delivery. */
  barrierPassed(number: number, silence: Verdict): void {
    for (const delivery of [...this.#open.values()]) {
      if (delivery.barrier === undefined || delivery.barrier > number) continue;
      if (delivery.putOff > 0) {
        this.#settlePutOff(delivery);
        continue;
      }
      const done = delivery.changed || delivery.unshown === true || delivery.missing.every(isUnspoken);
      for (const text of delivery.missing) this.#remember(lineOf(delivery.target, text), "self");
      this.#settle(delivery, done ? TAKEN : silence);
    }
  }

  /** Nothing was written for `key` after all. */
  withdraw(key: string): void {
    this.#open.delete(key);
  }

  /** We were seen to leave: if that was the end of the connection, what was not seen by then never will be. */
  leftTheNetwork(): void {
    for (const delivery of this.#open.values()) delivery.left = true;
  }

  /** The connection is over: settles what was seen to leave. */
  connectionOver(): void {
    for (const delivery of [...this.#open.values()]) {
      if (delivery.left) this.#settle(delivery, { verdict: "absent", reason: "the connection ended before" });
    }
  }

  /** Whoever waits for the verdict is told that it is not known; it may still come. */
  giveUp(key: string, reason: string): void {
    for (const tell of this.#open.get(key)?.waiting.splice(0) ?? []) tell({ verdict: "unknown", reason });
  }

  /** Nothing more will be known. */
  end(reason: string): void {
    for (const delivery of [...this.#open.values()]) this.#settle(delivery, { verdict: "unknown", reason });
  }

  #lineWith(label: string): { readonly delivery: Delivery | undefined; readonly text: string | undefined } {
    const dot = label.lastIndexOf(".");
    const delivery = this.#open.get(label.slice(0, dot));
    return { delivery, text: delivery?.texts[Number(label.slice(dot + 1))] };
  }

  #arrived(delivery: Delivery, text: string, id: string | undefined, witness: Witness): void {
    const at = delivery.missing.indexOf(text);
    if (at === -1) return;
    delivery.missing.splice(at, 1);
    this.#remember(lineOf(delivery.target, text), witness);
    delivery.id ??= id;
    if (delivery.missing.length > 0) return;
    if (delivery.putOff > 0) this.#settlePutOff(delivery);
    else this.#settle(delivery, { verdict: "sent", id: delivery.id });
  }

  /** `text`: the line that was refused, as it is compared; the oldest where that is not known. */
  #refuse(delivery: Delivery, { reason, mayPass }: Refusal, text = delivery.missing[0]): void {
    // Whom one of ours may not invite another may.
    if (!mayPass || delivery.about !== undefined) {
      this.#settle(delivery, { verdict: "refused", reason });
      return;
    }
    delivery.putOff += 1;
    delivery.putOffFor = reason;
    const at = text === undefined || delivery.together === true ? -1 : delivery.missing.indexOf(text);
    if (at >= 0) delivery.missing.splice(at, 1);
    // The others may be let through.
    if (at < 0 || delivery.missing.length === 0) this.#settlePutOff(delivery);
  }

  #settlePutOff(delivery: Delivery): void {
    const isWhole = delivery.together === true || delivery.putOff >= delivery.texts.length;
    this.#settle(delivery, { verdict: isWhole ? "absent" : "refused", reason: delivery.putOffFor });
  }

  #remember(line: string, seenBy: Witness): void {
    this.#recent.push({ line, seenBy });
    if (this.#recent.length > RECENT) this.#recent.shift();
  }

  #settle(delivery: Delivery, verdict: Verdict): void {
    if (!this.#open.delete(delivery.key)) return;
    this.onVerdict(delivery.key, verdict);
    for (const tell of delivery.waiting.splice(0)) tell(verdict);
  }
}
