import { z } from "zod";
import type { Json, JsonObject } from "../json.js";

/**
 * Arguments come as JSON or as a form; in a form everything is a string and nested values are JSON in a string. These
 * schemas take both.
 */

/** Text. A number is taken for its digits, as clients send `ts` values and ids in odd ways. */
export const text = z.union([z.string(), z.number().transform(String)]);

/** Text that is absent when it is empty. */
export const optionalText = text.optional().transform((value) => (value === "" ? undefined : value));

/** True or false; `1`, `0`, `"true"` and `"false"` too. */
export const flag = z
  .union([
    z.boolean(),
    z.number().transform((value) => value !== 0),
    z.string().transform((value) => value === "true" || value === "1"),
  ])
  .optional();

/** A whole number. */
export const whole = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]).pipe(z.int());

function fromText(value: unknown): unknown {
  if (typeof value !== "string" || value === "") return value === "" ? undefined : value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** A list of objects. */
export const objects = z.preprocess(fromText, z.array(z.record(z.string(), z.json())).optional());

/** An object. */
export const object = z.preprocess(fromText, z.record(z.string(), z.json()).optional());

/** Names or ids: a list, JSON of a list, or text with commas. */
export const names = z
  .preprocess((value) => {
    const parsed = fromText(value);
    return typeof parsed === "string"
      ? parsed
          .split(",")
          .map((part) => part.trim())
          .filter((part) => part !== "")
      : parsed;
  }, z.array(z.string()).optional())
  .transform((value) => value ?? []);

/** `limit` and `cursor` of the methods that answer in pages. */
export const paging = { limit: whole.optional(), cursor: optionalText };

/** Arguments as they arrived. */
export type RawArguments = Readonly<Record<string, Json>>;

/** Reads a body or a query: JSON when it says so, else a form. */
export function readArguments(body: string, contentType: string): RawArguments {
  if (contentType.includes("json")) return body.trim() === "" ? {} : objectOf(body);
  return Object.fromEntries(new URLSearchParams(body));
}

const anyObject = z.record(z.string(), z.json());

function objectOf(body: string): JsonObject {
  return anyObject.parse(JSON.parse(body));
}
