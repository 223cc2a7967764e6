import { z } from "zod";
import { commandSchema, eventSchema } from "./envelope.js";
import type { SlackWire } from "./intake.js";

const wireSchema = z.discriminatedUnion("from", [
  z.object({ from: z.literal("event"), team: z.string(), body: eventSchema, retryNum: z.number().optional() }),
  z.object({ from: z.literal("command"), team: z.string(), body: commandSchema }),
  z.object({ from: z.literal("look"), team: z.string(), channel: z.string() }),
]);

/** What the journal kept of a delivery. @throws ZodError where an older or newer bridge wrote it in another form */
export function readWire(wire: unknown): SlackWire {
  return wireSchema.parse(wire);
}
