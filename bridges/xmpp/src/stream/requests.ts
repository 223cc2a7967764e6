import { randomUUID } from "node:crypto";
import { uncertain, type Failure } from "@trestle/core";
import type { Element } from "./element.js";
import { stanzaErrorOf, type StanzaError } from "./stanza-error.js";

/** What became of a query. */
export type Answer =
  | { readonly kind: "result"; readonly stanza: Element }
  | { readonly kind: "error"; readonly error: StanzaError }
  /** Nobody answered, or it was not sent at all: the failure says which. */
  | { readonly kind: "failure"; readonly failure: Failure };

interface Waiting {
  readonly asked: string;
  readonly asker: string;
  readonly settle: (answer: Answer) => void;
}

/**
 * Queries that wait for their answers. An answer counts only from whom was asked and to whom asked, under the id of the
 * query: a guessed id is of no use to anybody else.
 */
export class Requests {
  readonly #waiting = new Map<string, Waiting>();

  constructor(
    private readonly sameAddress: (one: string, other: string) => boolean,
    readonly most: number,
  ) {}

  get isFull(): boolean {
    return this.#waiting.size >= this.most;
  }

  /** An id nobody can guess. */
  nextId(): string {
    return randomUUID();
  }

  /** Resolves with the answer, at the latest after `timeoutMs`, or when `signal` is aborted. */
  wait(id: string, iq: Element, timeoutMs: number, signal?: AbortSignal): Promise<Answer> {
    const { to = "", from = "" } = iq.attrs;
    return new Promise((resolve) => {
      const settle = (answer: Answer) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", givenUp);
        this.#waiting.delete(id);
        resolve(answer);
      };
      const unanswered = (reason: string) => settle({ kind: "failure", failure: uncertain(reason) });
      const givenUp = () => unanswered(`${to} was asked, but its answer was no longer waited for`);
      const timer = setTimeout(() => unanswered(`${to} did not answer within ${timeoutMs} ms`), timeoutMs);
      signal?.addEventListener("abort", givenUp, { once: true });
      this.#waiting.set(id, { asked: to, asker: from, settle });
    });
  }

  /** Settles a query that was not sent. */
  fail(id: string, failure: Failure): void {
    this.#waiting.get(id)?.settle({ kind: "failure", failure });
  }

  /** Takes an IQ of type `result` or `error`; false where nothing waits for it. */
  answered(stanza: Element): boolean {
    const { id = "", from = "", to = "", type } = stanza.attrs;
    const waiting = this.#waiting.get(id);
    if (!waiting || !this.sameAddress(waiting.asked, from) || !this.sameAddress(waiting.asker, to)) return false;
    waiting.settle(type === "error" ? { kind: "error", error: stanzaErrorOf(stanza) } : { kind: "result", stanza });
    return true;
  }

  /** The connection is gone: nothing will be answered. */
  abandon(reason: string): void {
    for (const { settle, asked } of [...this.#waiting.values()])
      settle({ kind: "failure", failure: uncertain(`${asked} was asked, but the connection ended: ${reason}`) });
  }
}
