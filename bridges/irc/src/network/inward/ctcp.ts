/** How many requests are answered in a row, and how many a second after that: nobody makes us flood a channel. */
const BURST = 3;
const PER_SECOND = 0.2;

const HINT =
  "I carry messages between this network and Matrix, and read none myself: write in the channel, or to the person.";

const NOT_LINKED = "is not linked with Matrix. Somebody on Matrix has to link a room to it.";

/** Answers to the requests that clients make of one another. */
export class CtcpAnswers {
  #tokens = BURST;
  #filledAt = performance.now();

  /** The answer's text, with its delimiters; `undefined` for none. */
  answer(command: string, argument: string): string | undefined {
    const answer = this.#answerTo(command, argument);
    return answer !== undefined && this.#mayAnswer() ? `\x01${answer}\x01` : undefined;
  }

  /** What the bot says to who writes to it alone; `undefined` for nothing. */
  hint(): string | undefined {
    return this.#mayAnswer() ? HINT : undefined;
  }

  /** What somebody is told who invites one of our clients where it has no business; `undefined` for nothing. */
  notLinked(channel: string): string | undefined {
    return this.#mayAnswer() ? `${channel} ${NOT_LINKED}` : undefined;
  }

  #mayAnswer(): boolean {
    const now = performance.now();
    this.#tokens = Math.min(BURST, this.#tokens + ((now - this.#filledAt) * PER_SECOND) / 1000);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  #answerTo(command: string, argument: string): string | undefined {
    switch (command) {
      case "VERSION":
        return "VERSION Trestle, a Matrix bridge";
      case "PING":
        return `PING ${argument.slice(0, 100)}`;
      case "TIME":
        return `TIME ${new Date().toISOString()}`;
      case "CLIENTINFO":
        return "CLIENTINFO ACTION CLIENTINFO PING TIME VERSION";
      default:
        return undefined;
    }
  }
}
