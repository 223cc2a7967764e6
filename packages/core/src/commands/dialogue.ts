import { randomUUID } from "node:crypto";
import type { BridgeRuntime } from "../bridge/runtime.js";
import type { ToMatrixPayload } from "../bridge/to-matrix/payload.js";
import type { LoginField } from "../connector/login-session.js";
import type { RoomId } from "../connector/ids.js";
import { toMatrix } from "../delivery/entry.js";

/** What is said in one go is one message: so long more of it is waited for, in milliseconds. */
const gatherMs = 100;

/** A login that is under way in a room: what is said there, and what is typed. */
export class Dialogue {
  readonly #said: string[] = [];
  /** Who waits for what is said next, as the answer to a command; what nobody waits for is a message of its own. */
  #waiting: ((text: string) => void) | undefined;
  #cancelTimer: (() => void) | undefined;
  #fields: readonly LoginField[] = [];
  readonly #answers = new Map<string, string>();
  #typed: ((values: Readonly<Record<string, string>>) => void) | undefined;
  /** Rejects when the person gives up, or takes too long. */
  readonly abandoned: Promise<never>;
  readonly giveUp: (error: Error) => void;

  constructor(
    readonly runtime: BridgeRuntime,
    readonly room: RoomId,
  ) {
    let giveUp: (error: Error) => void = () => undefined;
    this.abandoned = new Promise<never>((_, reject) => (giveUp = reject));
    this.giveUp = giveUp;
    // Whoever waits for it hears of it; at other times nobody does.
    this.abandoned.catch(() => undefined);
  }

  /** What the person is asked for now. */
  get field(): LoginField | undefined {
    return this.#fields.find(({ id }) => !this.#answers.has(id));
  }

  /** Says something, together with what follows at once. */
  say(text: string): void {
    this.#said.push(text);
    this.#cancelTimer ??= this.runtime.clock.after(gatherMs, () => void this.#speak());
  }

  /** Resolves to what was typed, by the field's id. */
  ask(fields: readonly LoginField[]): Promise<Readonly<Record<string, string>>> {
    this.#fields = fields;
    this.#answers.clear();
    if (this.field) this.#said.push(question(this.field));
    void this.#speak();
    return new Promise((resolve) => (this.#typed = resolve));
  }

  /** Takes what was typed for the field that is asked for. */
  answer(text: string): void {
    const { field } = this;
    if (!field) return;
    this.#answers.set(field.id, field.optional === true && text === "-" ? "" : text);
    if (this.field) {
      this.#said.push(question(this.field));
      void this.#speak();
      return;
    }
    const values = Object.fromEntries(this.#answers);
    this.#fields = [];
    this.#answers.clear();
    this.#typed?.(values);
  }

  /** Says the last words; resolves when that is certain. */
  end(text: string): Promise<void> {
    this.#said.push(text);
    return this.#speak();
  }

  /** Resolves to what is said next. */
  next(): Promise<string> {
    return new Promise((resolve) => (this.#waiting = resolve));
  }

  /** Never rejects. */
  async #speak(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const text = this.#said.splice(0).join("\n");
    if (text === "") return;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting(text);
    else await this.#write(text);
  }

  async #write(text: string): Promise<void> {
    const payload: ToMatrixPayload = { via: "notice", text };
    const cause = { direction: toMatrix, lane: this.room, source: `login ${randomUUID()}`, payload } as const;
    try {
      await this.runtime.journal.append([cause]);
    } catch (error) {
      this.runtime.log.error({ err: error, room: this.room }, "What a login has to say could not be journaled");
    }
  }
}

function question(field: LoginField): string {
  const hint = field.hint === undefined ? "" : ` (${field.hint})`;
  return `${field.label}${hint}:${field.optional === true ? " (- for none)" : ""}`;
}
