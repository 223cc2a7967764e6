import type { MatrixEvent } from "../appservice/event.js";
import { EventId, RoomId } from "../connector/ids.js";
import { done, type Entry, type Verdict } from "../delivery/entry.js";
import { Secrets } from "../store/secrets.js";
import { effectIdOf } from "./effect-id.js";
import type { BridgeRuntime } from "./runtime.js";

const context = "an answer to a login";

/**
 * What people type into a login passes the journal like everything else, but unreadably: a login does not outlive the
 * process, so neither does the key.
 */
export class LoginAnswers {
  #secrets: Secrets | undefined;

  constructor(
    readonly runtime: BridgeRuntime,
    /** Whether an event answers a login that is under way. */
    readonly isAnswer: (event: MatrixEvent) => boolean,
    readonly handle: (entry: Entry, event: MatrixEvent) => Promise<Verdict>,
  ) {}

  seal(event: MatrixEvent): string {
    this.#secrets ??= Secrets.ofThisProcess();
    return this.#secrets.seal(JSON.stringify(event), context).toString("base64");
  }

  /** Gives an answer to its login. Where that ended with an earlier process, its message is only removed. */
  async deliver(entry: Entry, sealed: string): Promise<Verdict> {
    const event = this.#open(sealed);
    if (event) return this.handle(entry, event);
    const { client, name, log } = this.runtime;
    const room = RoomId(entry.lane);
    const txnId = effectIdOf(name, "login answer", entry.lane, entry.source);
    const redacted = await client.redact({ room, eventId: EventId(entry.source), txnId });
    if (!redacted.ok) log.info({ room, failure: redacted.failure }, "An answer to a login could not be removed");
    return done();
  }

  #open(sealed: string): MatrixEvent | undefined {
    try {
      if (!this.#secrets) return undefined;
      return JSON.parse(this.#secrets.open(Buffer.from(sealed, "base64"), context)) as MatrixEvent;
    } catch (error) {
      // Sealed by an earlier process.
      this.runtime.log.debug({ err: error }, "A login ended with the process before");
      return undefined;
    }
  }
}
