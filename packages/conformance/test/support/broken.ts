import type { NetworkEvent } from "@trestle/core";
import { eventOf, type Fault } from "./parlour-connector.js";

/** One connector with one fault. */
export interface Broken {
  readonly name: string;
  readonly fault: Fault;
  /** The check that must find it. */
  readonly caughtBy: string;
  /** What must be said about it. */
  readonly words: RegExp;
}

/** Receives what happens, altered. */
export function altered(change: (event: NetworkEvent, channel: string) => NetworkEvent): NonNullable<Fault["take"]> {
  return (_right, { network }) =>
    async (channel, happening) => {
      const event = eventOf(channel, happening);
      if (event) await network.receive(change(event, channel));
    };
}
