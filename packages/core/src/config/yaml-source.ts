import { constructFromEvents, CORE_SCHEMA, EVENT_ID, getScalarValue, parseEvents, YAMLException } from "js-yaml";
import type { Event } from "js-yaml";
import type { Problem, ProblemPath } from "./problem.js";

/** A YAML document with the lines on which its keys stand. */
export interface YamlSource {
  readonly file: string;
  readonly value: unknown;
  /** The line (from 1) of a key, or of the nearest key around it. */
  locate(path: ProblemPath): number | undefined;
}

export type YamlResult =
  { readonly ok: true; readonly source: YamlSource } | { readonly ok: false; readonly problem: Problem };

const maxDepth = 64;
const maxAliases = 100;

/** Reads one YAML 1.2 document of JSON values (the core schema, no tags that make objects). */
export function readYaml(text: string, file: string): YamlResult {
  try {
    const events = parseEvents(text, { filename: file, maxDepth });
    const documents = constructFromEvents(events, { source: text, filename: file, schema: CORE_SCHEMA, maxAliases });
    if (documents.length > 1) return failed(file, undefined, "expected one document, found several (---)");
    const places = new Places(text, events);
    return { ok: true, source: { file, value: documents[0], locate: (path) => places.locate(path) } };
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    return failed(file, error.mark && error.mark.line + 1, `not valid YAML: ${error.reason}`);
  }
}

function failed(file: string, line: number | undefined, message: string): YamlResult {
  return { ok: false, problem: { severity: "error", file, ...(line !== undefined && { line }), path: [], message } };
}

/** The line of each key path, from the parser's events. */
class Places {
  readonly #lines = new Map<string, number>();
  readonly #lineStarts: number[] = [0];
  #next = 0;

  constructor(
    private readonly text: string,
    private readonly events: readonly Event[],
  ) {
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#lineStarts.push(at + 1);
    this.#next = 1;
    if (events.length > 1) this.#node([]);
  }

  locate(path: ProblemPath): number | undefined {
    for (let length = path.length; length > 0; length--) {
      const line = this.#lines.get(JSON.stringify(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return undefined;
  }

  /** Takes one node's events, remembering the lines of what is in it; returns the scalar's text. */
  #node(path: ProblemPath): string | undefined {
    const event = this.events[this.#next++];
    switch (event?.type) {
      case EVENT_ID.SCALAR:
        this.#remember(path, event.valueStart);
        return getScalarValue(this.text, event);
      case EVENT_ID.SEQUENCE:
        this.#remember(path, event.start);
        for (let index = 0; !this.#ended(); index++) this.#node([...path, index]);
        return undefined;
      case EVENT_ID.MAPPING:
        this.#remember(path, event.start);
        while (!this.#ended()) this.#pair(path);
        return undefined;
      default:
        return undefined;
    }
  }

  #pair(path: ProblemPath): void {
    const keyAt = this.events[this.#next];
    const key = this.#node([...path, ""]) ?? "";
    if (keyAt?.type === EVENT_ID.SCALAR) this.#remember([...path, key], keyAt.valueStart);
    this.#node([...path, key]);
  }

  #ended(): boolean {
    if (this.events[this.#next]?.type !== EVENT_ID.POP) return this.#next >= this.events.length;
    this.#next++;
    return true;
  }

  /** The first line given for a path is the key's, which is where people look. */
  #remember(path: ProblemPath, offset: number): void {
    const name = JSON.stringify(path);
    if (!this.#lines.has(name)) this.#lines.set(name, this.#lineOf(offset));
  }

  #lineOf(offset: number): number {
    let low = 0;
    let high = this.#lineStarts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  }
}
