import { randomBytes } from "node:crypto";
import type { WriteOutcome } from "../holder/frames.js";
import { formatMessage, formatTags, type IrcMessage, msgidOf, type Tags } from "../wire/message.js";
import { cutToBytes } from "../wire/sanitise.js";
import { Deliveries, encodeMeta, encodeVerdict, type Refusal, type Verdict } from "./deliveries.js";
import { FloodControl, type FloodLimits, Priority } from "./flood-control.js";
import { EFFECT_REFUSED, RANK_LACKING } from "./numerics.js";
import type { OwnView } from "./own-view.js";
import { costOf } from "./pace.js";
import { traceOf } from "./trace.js";

/** Without an echo after so long the server is asked whether it has dealt with the lines. */
const BARRIER_AFTER_MS = 2_000;
const VERDICT_WITHIN_MS = 20_000;
/** A PING is cheaper for a server than a message. */
const BARRIER_COST = 0.5;
const MAX_BATCHES = 100;
/** A line that goes on from the one before. IRCv3 multiline. */
const CONCAT = "draft/multiline-concat";

/** A line that is to be written. */
export interface Line {
  readonly verb: string;
  readonly params: readonly string[];
  readonly tags?: Tags;
  /** In a `multiline` effect: it goes on from the line before, without a line break. */
  readonly goesOn?: boolean;
}

/** Lines that are one effect. */
export interface Effect {
  readonly key: string;
  /** The channel or nick. */
  readonly target: string;
  /** Whom else a refusal may name: the nick that is invited. */
  readonly about?: string;
  readonly lines: readonly Line[];
  /** The lines are one message: sent together as `draft/multiline`, with these tags. */
  readonly multiline?: Tags;
  readonly priority: Priority;
  readonly signal: AbortSignal;
}

export interface OutgoingOptions {
  readonly view: OwnView;
  readonly flood: FloodLimits;
  /** What the bucket holds at first; full where absent. */
  readonly tokens: number | undefined;
  /** Whether the bot sees in the channels what this connection says. */
  readonly isOverheard: boolean;
  readonly write: (data: Buffer) => void;
  readonly writeEffect: (key: string, meta: string, data: Buffer) => Promise<WriteOutcome>;
  readonly result: (key: string, result: string) => void;
}

/** What a connection sends: in what order, how fast, and what the server did with it. */
export class Outgoing {
  readonly deliveries: Deliveries;
  readonly #flood: FloodControl;
  readonly #pingPrefix = `t${randomBytes(4).toString("hex")}-`;
  /** Labels of the batches that are open, by their references. */
  readonly #batches = new Map<string, string>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #pings = 0;
  #sentBatches = 0;
  /** The effect that was sent together last. */
  #multiline: string | undefined;
  /** The effect that was given to the server to relay last. */
  #relayed: string | undefined;
  #closed = false;

  constructor(private readonly options: OutgoingOptions) {
    this.#flood = new FloodControl(options.flood, options.tokens);
    this.deliveries = new Deliveries((key, verdict) => {
      if (verdict.verdict !== "unknown") options.result(key, encodeVerdict(verdict));
    });
  }

  /** Writes one line when it is its turn; it is lost where the connection ends before. */
  send(priority: Priority, verb: string, params: readonly string[]): void {
    const line = formatMessage(verb, params);
    this.#flood.schedule(priority, costOf(Buffer.byteLength(line)), () => this.writeNow(line));
  }

  /** Writes one line where nothing waits and there is room to spare; otherwise it is dropped. */
  aside(verb: string, params: readonly string[], tags: Tags): void {
    if (this.#closed) return;
    const line = formatMessage(verb, params, { tags });
    if (this.#flood.takeSpare(costOf(Buffer.byteLength(line)))) this.options.write(Buffer.from(`${line}\r\n`, "utf8"));
  }

  /** Writes one line past the queue: the way in has an order of its own. */
  writeNow(line: string): void {
    this.options.write(Buffer.from(`${this.#fit(line)}\r\n`, "utf8"));
  }

  /** Writes the lines of an effect and waits for the server's verdict. `undefined`: nothing was written. */
  async deliver(effect: Effect): Promise<Verdict | undefined> {
    const { key, signal, target } = effect;
    const texts = effect.lines.flatMap(({ verb, params, tags }) => {
      return traceOf({ verb, params, tags: new Map(Object.entries(tags ?? {})) }) ?? [];
    });
    const relays = effect.lines.some(({ verb }) => verb === "RELAYMSG");
    if (relays) this.#relayed = key;
    const { view } = this.options;
    const meta = {
      target: view.fold(target),
      texts,
      ...(relays && { unshown: true as const }),
      ...(effect.multiline && { together: true as const }),
      ...(effect.about !== undefined && { about: view.fold(effect.about) }),
    };
    const cost = effect.lines.reduce((sum, { params }) => sum + costOf(Buffer.byteLength(params.join(" "))), 0);
    if (!(await this.#turn(cost, effect.priority, signal)) || this.#closed) return undefined;
    this.deliveries.begin(key, meta);
    const verdict = this.deliveries.verdictOf(key);
    const outcome = await this.options.writeEffect(key, encodeMeta(meta), this.#bytesOf(effect, texts.length > 0));
    if (outcome === "gone") {
      this.deliveries.withdraw(key);
      return undefined;
    }
    const unwatch = this.#watch(key, texts.length > 0, signal);
    try {
      return await verdict;
    } finally {
      unwatch();
    }
  }

  /** For how long now lines have had to wait for their turn, in milliseconds. */
  get fullForMs(): number {
    return this.#flood.fullForMs;
  }

  /** Asks the server for a sign that it has dealt with everything written so far. */
  barrier(): void {
    this.#flood.schedule(Priority.control, BARRIER_COST, () => {
      this.#pings++;
      this.deliveries.barrierSet(this.#pings);
      this.writeNow(formatMessage("PING", [`${this.#pingPrefix}${this.#pings}`]));
    });
  }

  /** Takes note of a line that answers something. */
  note(message: IrcMessage, own: boolean): void {
    const { verb, params, tags } = message;
    if (verb === "BATCH") {
      this.#noteBatch(params[0] ?? "", tags.get("label"));
      return;
    }
    if (verb === "PONG") {
      this.#ponged(params.at(-1) ?? "");
      return;
    }
    const label = tags.get("label") ?? this.#batches.get(tags.get("batch") ?? "");
    if (label !== undefined && this.#labelled(label, message, own)) return;
    const target = this.options.view.fold(params[own ? 0 : 1] ?? "");
    const trace = own ? traceOf(message) : undefined;
    if (trace !== undefined) this.deliveries.seen("self", target, trace, msgidOf(message));
    else if (EFFECT_REFUSED.has(verb)) this.deliveries.refused(target, this.#refusal(message));
    else if (verb === "FAIL") this.#failed(params);
    else if (verb === "421" && params[1] === "RELAYMSG" && this.#relayed !== undefined)
      this.deliveries.refusedKey(this.#relayed, params.at(-1) ?? verb);
  }

  /** The connection is over. What became of deliveries may still turn up: `deliveries.end` ends that too. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#flood.close();
    this.deliveries.connectionOver();
  }

  #labelled(label: string, message: IrcMessage, own: boolean): boolean {
    const { verb } = message;
    if (own && traceOf(message) !== undefined)
      return this.deliveries.labelled(label, { verdict: "sent", id: msgidOf(message) });
    // "Nothing more to say": with echoes that means that there was none.
    if (verb === "ACK") return this.deliveries.unanswered(label, this.#silence());
    if (verb !== "FAIL" && !/^[45]\d\d$/.test(verb)) return false;
    // Where it is not open any more another of its lines has settled it: it is of nothing else.
    this.deliveries.refusedLabel(label, this.#refusal(message));
    return true;
  }

  #refusal({ verb, params }: IrcMessage): Refusal {
    const { view } = this.options;
    const mayPass = RANK_LACKING.has(verb) && view.isNewIn(view.fold(params[1] ?? ""));
    return { reason: params.at(-1) ?? verb, mayPass };
  }

  /** A standard reply without a label: `FAIL REDACT <code> <target> <msgid> :why`. IRCv3 message-redaction. */
  #failed([command = "", , ...context]: readonly string[]): void {
    if (command === "BATCH" && this.#multiline !== undefined)
      this.deliveries.refusedKey(this.#multiline, context.at(-1) ?? command);
    if (command === "RELAYMSG" && this.#relayed !== undefined)
      this.deliveries.refusedKey(this.#relayed, context.at(-1) ?? command);
    const trace = traceOf({ verb: command, params: context, tags: new Map() });
    if (command === "REDACT" && trace !== undefined) this.deliveries.refusedLine(trace, context.at(-1) ?? command);
  }

  /** What it means that the server has dealt with a message and said nothing. */
  #silence(): Verdict {
    if (!this.options.view.capabilities.has("echo-message")) return { verdict: "sent", id: undefined };
    return { verdict: "refused", reason: "the server took the message and did not show it" };
  }

  #noteBatch(reference: string, label: string | undefined): void {
    const name = reference.slice(1);
    if (reference.startsWith("-")) this.#batches.delete(name);
    else if (label !== undefined && this.#batches.size < MAX_BATCHES) this.#batches.set(name, label);
  }

  #ponged(token: string): void {
    if (!token.startsWith(this.#pingPrefix)) return;
    this.deliveries.barrierPassed(Number(token.slice(this.#pingPrefix.length)), this.#silence());
  }

  /** Makes sure that a verdict comes; returns what ends the watch. */
  #watch(key: string, isShown: boolean, signal: AbortSignal): () => void {
    const waits = isShown && (this.options.isOverheard || this.options.view.capabilities.has("echo-message"));
    const stops: (() => void)[] = [];
    if (waits) stops.push(this.#after(BARRIER_AFTER_MS, () => this.barrier()));
    else this.barrier();
    const giveUp = () => this.deliveries.giveUp(key, "the server has not said what became of it");
    stops.push(this.#after(VERDICT_WITHIN_MS, giveUp));
    signal.addEventListener("abort", giveUp, { once: true });
    return () => {
      for (const stop of stops) stop();
      signal.removeEventListener("abort", giveUp);
    };
  }

  /** Resolves to `true` when lines of that cost may be written, to `false` when they must not be any more. */
  #turn(cost: number, priority: Priority, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted || this.#closed) return Promise.resolve(false);
    return new Promise((resolve) => {
      const turn = new AbortController();
      const cancel = this.#flood.schedule(
        priority,
        cost,
        () => {
          turn.abort();
          resolve(true);
        },
        () => resolve(false),
      );
      if (!cancel) resolve(false);
      if (!cancel || turn.signal.aborted) return;
      const giveUp = () => {
        cancel();
        resolve(false);
      };
      signal.addEventListener("abort", giveUp, { once: true, signal: turn.signal });
    });
  }

  /** The answer carries the label of the whole, which says nothing of its lines: they are known by their texts. */
  #multilineOf({ key, target, lines }: Effect, tags: Tags): Buffer {
    const reference = `m${++this.#sentBatches}`;
    this.#multiline = key;
    const whole = [
      `${formatTags(tags)}${formatMessage("BATCH", [`+${reference}`, "draft/multiline", target])}`,
      ...lines.map(
        ({ verb, params, goesOn = false }) =>
          `${formatTags({ batch: reference, ...(goesOn && { [CONCAT]: "" }) })}${this.#fit(formatMessage(verb, params))}`,
      ),
      formatMessage("BATCH", [`-${reference}`]),
    ];
    return Buffer.from(`${whole.join("\r\n")}\r\n`, "utf8");
  }

  #bytesOf(effect: Effect, isShown: boolean): Buffer {
    const { key, lines, multiline } = effect;
    if (multiline) return this.#multilineOf(effect, multiline);
    const labels = this.options.view.capabilities.has("labeled-response") && isShown;
    const whole = lines.map(({ verb, params, tags }, index) => {
      const all = { ...(labels ? { label: `${key}.${index}` } : {}), ...tags };
      return `${formatTags(all)}${this.#fit(formatMessage(verb, params))}\r\n`;
    });
    return Buffer.from(whole.join(""), "utf8");
  }

  /** A server would cut the line itself, in the middle of a character. */
  #fit(line: string): string {
    return cutToBytes(line, this.options.view.isupport.lineLength - 2);
  }

  #after(ms: number, run: () => void): () => void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
    return () => {
      clearTimeout(timer);
      this.#timers.delete(timer);
    };
  }
}
