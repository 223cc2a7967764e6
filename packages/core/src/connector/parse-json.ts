import type { z } from "zod";

/**
 * Reads JSON that comes from outside: a payload, a frame, a stored value. `undefined` where the text is no JSON, or of
 * another shape than `schema`; it never throws.
 */
export function parseJson<Schema extends z.ZodType>(text: string, schema: Schema): z.output<Schema> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return schema.safeParse(value).data;
}
