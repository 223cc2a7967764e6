/// <reference lib="es2024.string" />
/** The nesting that is sent at most; canonical JSON sets no limit, recursion does. */
const maxDepth = 100;

export type EncodedJson =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string };

/**
 * Serialises a request body under the rules of Matrix canonical JSON: numbers are whole and within ±(2^53 - 1), and
 * strings are valid Unicode. Lone surrogates (some homeservers answer them with a 500) become U+FFFD; a number that
 * cannot be sent is reported with its place, because rounding it is not for this layer to decide.
 */
export function encodeJson(value: unknown): EncodedJson {
  const survey: Survey = { illFormed: false };
  const problem = examine(value, survey, 0);
  if (problem !== undefined) return { ok: false, problem: `"${problem.path.reverse().join(".")}" ${problem.what}` };
  return { ok: true, text: survey.illFormed ? JSON.stringify(wellFormed(value)) : JSON.stringify(value) };
}

interface Survey {
  illFormed: boolean;
}

interface Problem {
  readonly path: string[];
  readonly what: string;
}

function examine(value: unknown, survey: Survey, depth: number): Problem | undefined {
  switch (typeof value) {
    case "string":
      if (!value.isWellFormed()) survey.illFormed = true;
      return undefined;
    case "number":
      if (Number.isSafeInteger(value)) return undefined;
      return { path: [], what: `is ${value}, and Matrix takes whole numbers within ±(2^53 - 1) only` };
    case "object":
      if (value === null) return undefined;
      if (depth >= maxDepth) return { path: [], what: `is nested deeper than ${maxDepth} levels` };
      return Array.isArray(value) ? examineList(value, survey, depth) : examineObject(value, survey, depth);
    case "bigint":
    case "function":
    case "symbol":
      return { path: [], what: `is a ${typeof value}, which JSON does not have` };
    default:
      return undefined;
  }
}

function examineObject(value: object, survey: Survey, depth: number): Problem | undefined {
  const record = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(record)) {
    const member = record[key];
    if (!key.isWellFormed()) survey.illFormed = true;
    const problem = examine(member, survey, depth + 1);
    if (problem !== undefined) {
      problem.path.push(key);
      return problem;
    }
  }
  return undefined;
}

function examineList(value: readonly unknown[], survey: Survey, depth: number): Problem | undefined {
  for (let index = 0; index < value.length; index += 1) {
    const problem = examine(value[index], survey, depth + 1);
    if (problem !== undefined) {
      problem.path.push(String(index));
      return problem;
    }
  }
  return undefined;
}

function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key.toWellFormed(), wellFormed(member)]));
}
