import { randomUUID } from "node:crypto";
import { z } from "zod";

const saidSchema = z.object({
  id: z.string().min(1).max(200).default(randomUUID),
  from: z.string().trim().min(1).max(100),
  text: z.string(),
  style: z.enum(["text", "notice", "emote"]).default("text"),
  at: z.int().nonnegative().optional(),
  via: z.string().optional(),
});

/** What somebody says: `{"from":"bob","text":"hello"}` is enough. `at` is in milliseconds since 1970, `via` the bridge it came through. */
export type Said = z.output<typeof saidSchema>;

/** Reads a payload. One of another kind is shown as it stands: a sensor's `21.5` is said by nobody in particular. */
export function readSaid(payload: Buffer | string): Said {
  const text = payload.toString();
  try {
    return saidSchema.parse(JSON.parse(text));
  } catch {
    return { id: randomUUID(), from: "anonymous", text, style: "text" };
  }
}
