import { z } from "zod";
import type { Delivery } from "../intake/intake.js";

const helloSchema = z.looseObject({
  type: z.literal("hello"),
  num_connections: z.number().optional(),
  connection_info: z.looseObject({ app_id: z.string().optional() }).optional(),
});
const disconnectSchema = z.looseObject({ type: z.literal("disconnect"), reason: z.string().default("unknown") });
const envelopeSchema = z.looseObject({
  type: z.string(),
  envelope_id: z.string().min(1),
  payload: z.unknown(),
  accepts_response_payload: z.boolean().optional(),
  retry_attempt: z.number().optional(),
  retry_reason: z.string().optional(),
});

/** What a frame of Socket Mode says. */
export type Frame =
  | { readonly kind: "hello"; readonly appId: string | undefined; readonly connections: number | undefined }
  | { readonly kind: "disconnect"; readonly reason: string }
  | { readonly kind: "envelope"; readonly envelope: string; readonly delivery: Delivery; readonly takesReply: boolean }
  /** One that must be acknowledged and of which we make nothing. */
  | { readonly kind: "unused"; readonly envelope: string; readonly type: string }
  | { readonly kind: "malformed"; readonly why: string };

/** Reads a frame; what makes no sense is said to make none. */
export function readFrame(data: unknown): Frame {
  if (typeof data !== "string") return { kind: "malformed", why: "it is binary" };
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {
    return { kind: "malformed", why: "it is no JSON" };
  }
  const hello = helloSchema.safeParse(json);
  if (hello.success)
    return {
      kind: "hello",
      appId: hello.data.connection_info?.app_id,
      connections: hello.data.num_connections,
    };
  const disconnect = disconnectSchema.safeParse(json);
  if (disconnect.success) return { kind: "disconnect", reason: disconnect.data.reason };
  const envelope = envelopeSchema.safeParse(json);
  if (!envelope.success) return { kind: "malformed", why: "it is no frame of Socket Mode" };
  return fromEnvelope(envelope.data);
}

function fromEnvelope(envelope: z.output<typeof envelopeSchema>): Frame {
  const { type, envelope_id, payload, retry_attempt, retry_reason, accepts_response_payload } = envelope;
  const kind = type === "events_api" ? "event" : type === "slash_commands" ? "command" : undefined;
  if (kind === undefined) return { kind: "unused", envelope: envelope_id, type };
  const delivery: Delivery = {
    kind,
    body: payload,
    ...(retry_attempt !== undefined && { retryNum: retry_attempt }),
    ...(retry_reason !== undefined && { retryReason: retry_reason }),
  };
  return { kind: "envelope", envelope: envelope_id, delivery, takesReply: accepts_response_payload === true };
}
