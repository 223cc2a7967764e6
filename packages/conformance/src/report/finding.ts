/** One thing that is wrong, said to the person who can mend it. */
export interface Finding {
  /** What failed: what was done, what was expected, what came. */
  readonly failed: string;
  /** What people would have seen of it. */
  readonly seen: string;
  /** Where to look: a method, a document, a section of a specification. */
  readonly look: string;
}

/** A check that found something; whatever else a check throws is reported as well, but has less to say. */
export class Found extends Error {
  override readonly name = "Found";

  constructor(readonly findings: readonly Finding[]) {
    super(findings.map(sentence).join("\n"));
  }
}

/** Ends a check with one finding. */
export function fail(finding: Finding): never {
  throw new Found([finding]);
}

/** A check that does not apply, and why. */
export class LeftOut extends Error {
  override readonly name = "LeftOut";
}

/** Ends a check that does not apply here. */
export function leaveOut(reason: string): never {
  throw new LeftOut(reason);
}

/** A finding in lines. */
export function sentence({ failed, seen, look }: Finding): string {
  return `${failed}\n  what people see: ${seen}\n  where to look: ${look}`;
}
