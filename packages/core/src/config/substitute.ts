import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileErrorText } from "./error-text.js";
import { formatPath } from "./problem.js";
import type { ProblemPath } from "./problem.js";

export interface Substituted {
  readonly value: unknown;
  /** Paths (JSON) of strings that came from the environment or a file: their values are never printed. */
  readonly foreign: ReadonlySet<string>;
  readonly faults: readonly Fault[];
}

export interface Fault {
  readonly path: ProblemPath;
  readonly message: string;
}

export interface SubstituteOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Relative `_FILE` paths start here. */
  readonly directory: string;
}

const fileKey = /^([A-Za-z][A-Za-z0-9_]*)_FILE$/;
const reference = /\$\$\{|\$\{([^}]*)\}/g;
const maxSecretBytes = 64 * 1024;

/**
 * Replaces `${NAME}` in strings by the environment variable (`$${` stands for `${` itself), and `key_FILE: path` by
 * `key` with the trimmed content of that file. Whatever cannot be replaced becomes a fault.
 */
export function substitute(value: unknown, options: SubstituteOptions): Substituted {
  const walk = new Substitution(options);
  const result = walk.any(value, []);
  return { value: result, foreign: walk.foreign, faults: walk.faults };
}

class Substitution {
  readonly foreign = new Set<string>();
  readonly faults: Fault[] = [];
  readonly #ancestors = new Set<object>();

  constructor(private readonly options: SubstituteOptions) {}

  any(value: unknown, path: ProblemPath): unknown {
    if (typeof value === "string") return this.#string(value, path);
    if (typeof value !== "object" || value === null) return value;
    if (this.#ancestors.has(value)) {
      this.faults.push({ path, message: "an alias (*) points to what it is in" });
      return null;
    }
    this.#ancestors.add(value);
    const result = Array.isArray(value)
      ? value.map((item: unknown, index) => this.any(item, [...path, index]))
      : this.#mapping(value, path);
    this.#ancestors.delete(value);
    return result;
  }

  #string(text: string, path: ProblemPath): string {
    return text.replaceAll(reference, (whole, name: string | undefined) => {
      if (name === undefined) return "${";
      this.foreign.add(JSON.stringify(path));
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
        this.faults.push({
          path,
          message: `${whole} is not an environment variable; write $\${ for the characters \${`,
        });
        return "";
      }
      const value = this.options.environment[name];
      if (value === undefined) this.faults.push({ path, message: `the environment variable ${name} is not set` });
      return value ?? "";
    });
  }

  #mapping(mapping: object, path: ProblemPath): Record<string, unknown> {
    const entries = Object.entries(mapping).map(([key, value]: [string, unknown]): [string, unknown] => {
      const target = fileKey.exec(key)?.[1];
      if (target === undefined) return [key, this.any(value, [...path, key])];
      if (Object.hasOwn(mapping, target)) {
        this.faults.push({ path: [...path, key], message: `give either ${target} or ${key}, not both` });
      }
      return [target, this.#file(value, [...path, key], [...path, target])];
    });
    return Object.fromEntries(entries);
  }

  #file(value: unknown, path: ProblemPath, target: ProblemPath): string {
    this.foreign.add(JSON.stringify(target));
    if (typeof value !== "string" || value === "") {
      this.faults.push({ path, message: `expected the path of a file that holds ${formatPath(target)}` });
      return "";
    }
    const file = resolve(this.options.directory, this.#string(value, path));
    try {
      const content = readFileSync(file);
      if (content.length > maxSecretBytes) {
        this.faults.push({
          path,
          message: `${file} is larger than ${maxSecretBytes / 1024} KiB; is it the right file?`,
        });
      }
      return content.subarray(0, maxSecretBytes).toString("utf8").trim();
    } catch (error) {
      this.faults.push({ path, message: `cannot read ${file}: ${fileErrorText(error)}` });
      return "";
    }
  }
}
