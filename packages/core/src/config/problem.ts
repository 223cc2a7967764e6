/** Something wrong in a file a person wrote, said so that the person can mend it. */
export interface Problem {
  /** A warning does not keep Trestle from starting. */
  readonly severity: "error" | "warning";
  readonly file: string;
  /** From 1; absent where it cannot be known. */
  readonly line?: number;
  readonly path: ProblemPath;
  /** What is wrong and what was expected. */
  readonly message: string;
}

/** The keys and indices that lead to a value. */
export type ProblemPath = readonly (string | number)[];

/** `bridges[0].network.servers[1].port` */
export function formatPath(path: ProblemPath): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    if (!/^[\w$-]+$/.test(key)) return `${text}[${JSON.stringify(key)}]`;
    return text === "" ? key : `${text}.${key}`;
  }, "");
}

/** `trestle.yaml:12: listen.port: expected …` */
export function formatProblem(problem: Problem): string {
  const place = problem.line === undefined ? problem.file : `${problem.file}:${problem.line}`;
  const key = formatPath(problem.path);
  const text = key === "" ? `${place}: ${problem.message}` : `${place}: ${key}: ${problem.message}`;
  return problem.severity === "warning" ? `${text} (warning)` : text;
}

/** Files that cannot be used, with everything that is wrong in them. */
class FileError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const sorted = inFileOrder(problems);
    super(sorted.map(formatProblem).join("\n"));
    this.problems = sorted;
  }
}

function inFileOrder(problems: readonly Problem[]): Problem[] {
  const files = [...new Set(problems.map((problem) => problem.file))];
  const line = (problem: Problem): number => problem.line ?? Number.MAX_SAFE_INTEGER;
  return [...problems].sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || line(a) - line(b));
}

/** The configuration cannot be used. */
export class ConfigError extends FileError {
  override readonly name = "ConfigError";
}

/** A registration cannot be used. */
export class RegistrationError extends FileError {
  override readonly name = "RegistrationError";
}
