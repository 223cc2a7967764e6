interface Ticket {
  isDone: boolean;
}

/** The counter of stanzas wraps here (XEP-0198 §4). */
const LIMIT = 2 ** 32;

/**
 * Counts the stanzas that were dealt with, in the order in which they came: the server keeps what is behind the count, and
 * gives it again where the session is taken up on another connection (XEP-0198).
 */
export class Handled {
  #count = 0;
  #open: Ticket[] = [];
  #current: Ticket | undefined;

  get count(): number {
    return this.#count;
  }

  /** Whether something is not dealt with yet. */
  get isBehind(): boolean {
    return this.#open.length > 0;
  }

  /** Hands a stanza on. It counts when that has returned, or when what `waitFor` was told of meanwhile is done. */
  take(handOn: () => void): void {
    const ticket: Ticket = { isDone: false };
    this.#open.push(ticket);
    this.#current = ticket;
    try {
      handOn();
    } finally {
      if (this.#current === ticket) this.#done(ticket);
      this.#current = undefined;
    }
  }

  /** The stanza that is handed on now is dealt with when this resolves; never where it rejects. */
  waitFor(dealtWith: Promise<void>, progress: () => void): void {
    const ticket = this.#current;
    if (!ticket) return;
    this.#current = undefined;
    dealtWith.then(
      () => {
        this.#done(ticket);
        progress();
      },
      () => undefined,
    );
  }

  /** The connection is gone: what was not dealt with comes again. */
  cut(): void {
    this.#open = [];
    this.#current = undefined;
  }

  #done(ticket: Ticket): void {
    ticket.isDone = true;
    let done = 0;
    while (this.#open[done]?.isDone === true) done += 1;
    if (done === 0) return;
    this.#open.splice(0, done);
    this.#count = (this.#count + done) % LIMIT;
  }
}
