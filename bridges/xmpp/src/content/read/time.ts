import { ns } from "../namespaces.js";
import { attributeOf, childOf, textOf, type XmlElement } from "../xml.js";
import { given } from "../given.js";

/** When a stanza was first sent, where it was not delivered at once (XEP-0203). */
export interface Delay {
  /** In milliseconds since 1970. */
  readonly at: number;
  /** Who says so. */
  readonly by?: string;
  readonly reason?: string;
}

/**
 * Reads a date and time of XEP-0082, or of XEP-0091 (`20020910T23:08:25`), as milliseconds since 1970; `undefined` where
 * it is none.
 */
export function readTime(text: string): number | undefined {
  const old = /^(\d{4})(\d{2})(\d{2})T(\d{2}:\d{2}:\d{2})$/.exec(text.trim());
  const current = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/;
  const written = old === null ? text.trim() : `${old[1] ?? ""}-${old[2] ?? ""}-${old[3] ?? ""}T${old[4] ?? ""}Z`;
  if (!current.test(written)) return undefined;
  const at = Date.parse(written);
  return Number.isFinite(at) ? at : undefined;
}

/** Writes a time as XEP-0082 has it, in UTC with milliseconds. */
export function writeTime(at: number): string {
  return new Date(at).toISOString();
}

/** Reads the delay of a stanza or of what stands around a forwarded one. Of several, the first that is one counts. */
export function readDelay(element: XmlElement): Delay | undefined {
  for (const [name, namespace] of [
    ["delay", ns.delay],
    ["x", ns.oldDelay],
  ] as const) {
    const delay = childOf(element, name, namespace);
    const at = readTime((delay && attributeOf(delay, "stamp")) ?? "");
    if (delay === undefined || at === undefined) continue;
    return given({ at, by: attributeOf(delay, "from") || undefined, reason: textOf(delay).trim() || undefined });
  }
  return undefined;
}
