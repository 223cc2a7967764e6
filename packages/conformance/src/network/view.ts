import type { Seen } from "./network-fake.js";

/** The texts that people see now: after the corrections and removals of all they saw. */
export function viewOf(seen: readonly Seen[]): string[] {
  const shown: { id: string | undefined; text: string }[] = [];
  for (const each of seen) {
    if (each.kind === "message") shown.push({ id: each.id, text: each.text });
    const at = "target" in each ? shown.findIndex(({ id }) => id === each.target) : -1;
    if (each.kind === "edit" && at >= 0) shown[at] = { id: each.target, text: each.text };
    if (each.kind === "removal" && at >= 0) shown.splice(at, 1);
  }
  return shown.map(({ text }) => text);
}

/** Everything readable that people ever saw, in order: messages, corrections, topics. */
export function textsOf(seen: readonly Seen[]): string[] {
  return seen.flatMap((each) => ("text" in each ? [each.text] : each.kind === "file" ? [each.name] : []));
}
