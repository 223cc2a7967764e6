import { parseArgs } from "node:util";

/** The command line of a tool: flags without a value, options with one, and words of a list. Anything else ends the process with the usage. */
export function readArguments<const Flag extends string, const Option extends string>(
  usage: string,
  flags: readonly Flag[],
  options: readonly Option[],
  words: readonly string[] = [],
): {
  readonly flags: ReadonlySet<Flag>;
  readonly options: ReadonlyMap<Option, string>;
  readonly words: readonly string[];
} {
  try {
    const parsed = parseArgs({
      allowPositionals: words.length > 0,
      options: Object.fromEntries<{ readonly type: "boolean" | "string" }>([
        ...flags.map((name) => [name, { type: "boolean" }] as const),
        ...options.map((name) => [name, { type: "string" }] as const),
        ["help", { type: "boolean" }] as const,
      ]),
    });
    const values: Readonly<Record<string, unknown>> = parsed.values;
    const unknown = parsed.positionals.find((word) => !words.includes(word));
    if (unknown !== undefined) throw new Error(`There is no "${unknown}"`);
    if (values["help"] === true) {
      console.log(usage);
      process.exit(0);
    }
    const given = new Map<Option, string>();
    for (const name of options) {
      const value = values[name];
      if (typeof value === "string") given.set(name, value);
    }
    return { flags: new Set(flags.filter((name) => values[name] === true)), options: given, words: parsed.positionals };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exit(2);
  }
}

/** A whole number from 0, or the end of the process with what is wrong. */
export function wholeNumber(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  console.error(`--${name} must be a whole number, not "${text}"`);
  process.exit(2);
}
