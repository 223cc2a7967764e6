import { z } from "zod";
import { suggest } from "./suggest.js";
import type { Fault } from "./substitute.js";
import type { ProblemPath } from "./problem.js";

export type Validated<Output> =
  { readonly ok: true; readonly value: Output } | { readonly ok: false; readonly faults: readonly Fault[] };

/**
 * Parses with a zod schema and says what is wrong in terms of the file: what was expected, what was found, what was
 * perhaps meant. `foreign` are paths (JSON) of values from the environment or secret files, which are not printed.
 */
export function validate<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  foreign: ReadonlySet<string> = new Set(),
): Validated<z.output<Schema>> {
  const result = schema.safeParse(numbersFromText(schema, value, foreign), {
    error: (issue) => describe(issue, schema, foreign),
  });
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, faults: result.error.issues.flatMap((issue) => toFaults(issue, schema)) };
}

type RawIssue = z.core.$ZodRawIssue;

/** zod asks for the message of every issue whose schema has no message of its own. */
function describe(issue: RawIssue, schema: z.ZodType, foreign: ReadonlySet<string>): string | undefined {
  const path = (issue.path ?? []).filter(isKey);
  switch (issue.code) {
    case "invalid_type":
      return describeType(issue.expected, issue.input, descriptionAt(schema, path));
    case "invalid_value":
      return describeChoice(issue.values.map(String), issue.input, isPrivate(path, foreign));
    case "too_small":
      return describeBound("at least", issue.origin, issue.minimum, issue.inclusive);
    case "too_big":
      return describeBound("at most", issue.origin, issue.maximum, issue.inclusive);
    case "invalid_format":
      return issue.format === "regex"
        ? `does not look as expected (${issue.pattern ?? ""})`
        : `expected ${an(issue.format)}`;
    case "invalid_union":
      return `expected ${descriptionAt(schema, path) ?? "another kind of value"}, found ${kindOf(issue.input)}`;
    default:
      return undefined;
  }
}

function describeType(expected: string, input: unknown, description: string | undefined): string {
  const about = description === undefined ? "" : ` (${description})`;
  const wanted = typeNames[expected] ?? an(expected);
  return input === undefined || input === null
    ? `is missing: expected ${wanted}${about}`
    : `expected ${wanted}, found ${kindOf(input)}${about}`;
}

const typeNames: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a section of keys",
  record: "a section of keys",
  array: "a list",
};

function describeChoice(values: readonly string[], input: unknown, hidden: boolean): string {
  const expected = `expected ${values.length === 1 ? "" : "one of "}${values.join(", ")}`;
  if (typeof input !== "string" || hidden) return `${expected}, found ${kindOf(input)}`;
  const meant = suggest(input, values);
  return `${expected}, found ${JSON.stringify(input)}${meant === undefined ? "" : `; did you mean ${meant}?`}`;
}

function describeBound(
  relation: string,
  origin: string,
  bound: number | bigint,
  inclusive: boolean | undefined,
): string {
  const limit =
    inclusive === false ? `${relation === "at least" ? "more than" : "less than"} ${bound}` : `${relation} ${bound}`;
  if (origin === "string") return `expected ${limit} characters`;
  if (origin === "array" || origin === "set") return `expected ${limit} ${bound === 1 ? "entry" : "entries"}`;
  return `expected a number of ${limit}`;
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a section of keys";
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") return `the number ${value}`;
  return value === "" ? "an empty text" : "text";
}

function an(noun: string): string {
  return `${/^[aeiou]/i.test(noun) ? "an" : "a"} ${noun}`;
}

function isPrivate(path: ProblemPath, foreign: ReadonlySet<string>): boolean {
  return foreign.has(JSON.stringify(path)) || /pass|secret|token|key/i.test(String(path.at(-1) ?? ""));
}

function isKey(key: PropertyKey): key is string | number {
  return typeof key !== "symbol";
}

function toFaults(issue: z.core.$ZodIssue, schema: z.ZodType): Fault[] {
  const path = issue.path.filter(isKey);
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(schema, path);
    return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(key, known) }));
  }
  if (issue.code === "invalid_key") return [{ path, message: issue.issues[0]?.message ?? issue.message }];
  if (issue.code === "invalid_union") return unionFaults(issue, schema, path);
  return [{ path, message: issue.message }];
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = suggest(key, known);
  if (meant !== undefined) return `there is no such key; did you mean ${meant}?`;
  return known.length === 0 ? "there is no such key" : `there is no such key; known here: ${known.join(", ")}`;
}

/** Of several forms the one that was nearly met explains best: the one whose complaints lie deepest. */
function unionFaults(issue: z.core.$ZodIssueInvalidUnion, schema: z.ZodType, path: ProblemPath): Fault[] {
  const depth = (issues: readonly z.core.$ZodIssue[]): number => Math.max(0, ...issues.map((each) => each.path.length));
  const nearest = [...issue.errors].sort((a, b) => depth(b) - depth(a))[0] ?? [];
  if (depth(nearest) === 0) return [{ path, message: issue.message }];
  return nearest.flatMap((inner) => toFaults({ ...inner, path: [...path, ...inner.path] }, schema));
}

/** Text from the environment that stands where a number or true/false belongs is read as such. */
function numbersFromText(schema: z.ZodType, value: unknown, foreign: ReadonlySet<string>): unknown {
  if (foreign.size === 0) return value;
  const result = schema.safeParse(value);
  if (result.success) return value;
  return result.error.issues.reduce((current, issue) => {
    const path = issue.path.filter(isKey);
    if (!foreign.has(JSON.stringify(path))) return current;
    return replaceAt(current, path, (text) => (typeof text === "string" ? fromText(text) : text));
  }, value);
}

function fromText(text: string): unknown {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (text === "true" || text === "false") return text === "true";
  return text;
}

function replaceAt(value: unknown, path: ProblemPath, change: (value: unknown) => unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return change(value);
  if (Array.isArray(value))
    return value.map((item: unknown, index) => (index === key ? replaceAt(item, rest, change) : item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]: [string, unknown]) => [
      name,
      name === key ? replaceAt(item, rest, change) : item,
    ]),
  );
}

function descriptionAt(schema: z.ZodType, path: ProblemPath): string | undefined {
  return schemasAt(schema, path).find((each) => each.description !== undefined)?.description;
}

function keysAt(schema: z.ZodType, path: ProblemPath): string[] {
  return schemasAt(schema, path).flatMap((each) => {
    const bare = unwrap(each);
    return bare instanceof z.ZodObject ? Object.keys(bare.shape) : [];
  });
}

/** The schemas that may apply at a path; several where there are unions. */
function schemasAt(schema: z.ZodType, path: ProblemPath): z.ZodType[] {
  const [key, ...rest] = path;
  const bare = unwrap(schema);
  if (bare instanceof z.ZodUnion) return bare.options.filter(isSchema).flatMap((option) => schemasAt(option, path));
  if (key === undefined) return [schema];
  const inner = childOf(bare, key);
  return isSchema(inner) ? schemasAt(inner, rest) : [];
}

function childOf(schema: z.ZodType, key: string | number): unknown {
  if (schema instanceof z.ZodObject) return Object.hasOwn(schema.shape, key) ? schema.shape[key] : undefined;
  if (schema instanceof z.ZodArray) return schema.element;
  if (schema instanceof z.ZodRecord) return schema.valueType;
  return undefined;
}

function unwrap(schema: z.ZodType): z.ZodType {
  const inner =
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable
      ? schema.unwrap()
      : schema instanceof z.ZodPipe
        ? schema.in
        : undefined;
  return isSchema(inner) ? unwrap(inner) : schema;
}

function isSchema(value: unknown): value is z.ZodType {
  return value instanceof z.ZodType;
}
