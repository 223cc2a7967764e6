import type { Failure } from "@trestle/core";
import type { Element } from "./element.js";
import type { Answer } from "./requests.js";

/** How a stream is. */
export interface StreamState {
  /**
   * `waiting` for the next attempt; `failed` means that it has stopped for good, because somebody must do something about
   * it first.
   */
  readonly state: "connecting" | "online" | "waiting" | "failed" | "closed";
  /** For a person. */
  readonly detail?: string;
}

export interface RequestOptions {
  /** How long to wait for the answer; the stream's own time where absent. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A stream of stanzas to a server that comes back by itself, whatever carries it. */
export interface XmppStream {
  /** The address that stands for the stream itself. */
  readonly address: string;
  readonly state: StreamState;
  /** Begins to connect. */
  start(): void;
  /**
   * Sends a stanza, in the order of the calls. `undefined`: it was given to the system, which does not say that the
   * server has it. A failure says whether it may have gone out: `retry` surely not, now; `permanent` never; `uncertain` nobody
   * knows.
   */
  send(stanza: Element): Promise<Failure | undefined>;
  /** Sends a query (an `<iq/>` of type `get` or `set`, with `from` and `to`); its id is given by the stream. Never rejects. */
  request(iq: Element, options?: RequestOptions): Promise<Answer>;
  /** Ends the connection, so that a new one is opened: what was not dealt with is asked for again. */
  interrupt(reason: string): void;
  /**
   * Ends it for good: nothing is sent any more. What the server has given out until it knows is still taken; resolves
   * when that is dealt with.
   */
  close(): Promise<void>;
}
