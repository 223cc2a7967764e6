import type { Isupport } from "./isupport.js";

/** One letter of a MODE of a channel. */
export interface ModeChange {
  readonly on: boolean;
  readonly letter: string;
  readonly parameter: string | undefined;
}

/**
 * Takes the parameters of a channel's `MODE` (or 324) apart, after the channel. Which letters take a parameter says the
 * server: `CHANMODES` (types A and B always, C when set, D never) and `PREFIX`.
 */
export function modeChanges(
  isupport: Isupport,
  [letters = "", ...parameters]: readonly string[],
): readonly ModeChange[] {
  const [lists = "", always = "", whenSet = ""] = (isupport.get("CHANMODES") ?? "b,k,l,imnpst").split(",");
  const ranks = /^\(([^)]*)\)/.exec(isupport.get("PREFIX") ?? "(ov)@+")?.[1] ?? "";
  const changes: ModeChange[] = [];
  let on = true;
  let next = 0;
  for (const letter of letters) {
    if (letter === "+" || letter === "-") {
      on = letter === "+";
      continue;
    }
    const takesOne = `${lists}${always}${ranks}`.includes(letter) || (on && whenSet.includes(letter));
    changes.push({ on, letter, parameter: takesOne ? parameters[next++] : undefined });
  }
  return changes;
}
