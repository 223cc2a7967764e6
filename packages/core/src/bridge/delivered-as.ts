import { done, type Verdict } from "../delivery/entry.js";
import type { MappedMessage } from "../mapping/messages.js";
import type { Write } from "../store/writes.js";
import type { BridgeRuntime } from "./runtime.js";

/** The verdict on a message that was delivered as these parts; `more` is written with them. */
export function deliveredAs(
  runtime: BridgeRuntime,
  parts: readonly MappedMessage[],
  more: readonly Write[] = [],
): Verdict {
  if (parts.length === 0) return done(more);
  const { writes, committed } = runtime.messages.map(parts);
  return done(more.length > 0 ? [...writes, ...more] : writes, committed);
}
