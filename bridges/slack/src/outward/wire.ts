import { z } from "zod";

const textSchema = z.object({
  kind: z.literal("text"),
  text: z.string(),
  blocks: z.array(z.record(z.string(), z.unknown())),
});
const wireSchema = z.discriminatedUnion("kind", [
  textSchema,
  z.object({
    kind: z.literal("file"),
    uri: z.string(),
    name: z.string(),
    mimeType: z.string().optional(),
    /** What is said with it. */
    caption: textSchema.optional(),
  }),
]);

/** One message in Slack, as the journal keeps it before it is posted. */
export type Wire = z.output<typeof wireSchema>;
export type WireText = z.output<typeof textSchema>;
export type WireFile = Extract<Wire, { kind: "file" }>;

/** @throws ZodError where an older or newer bridge wrote it in another form */
export function readWirePart(wire: unknown): Wire {
  return wireSchema.parse(wire);
}
