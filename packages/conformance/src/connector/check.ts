import type { NetworkFake } from "../network/network-fake.js";
import type { CheckTitle, Level } from "../report/report.js";
import type { Stage } from "./stage.js";

export type Note = (text: string) => void;

/** The promises, as the architecture guide names them, and what a connector can do beyond. */
export const promises = {
  lost: "Nothing lost",
  twice: "Nothing twice",
  order: "Nothing out of order",
  silent: "Nothing silent",
  belong: "Nobody where they do not belong",
  can: "What the connector can do",
} as const;

export interface ConnectorCheck extends CheckTitle {
  /** Settings of `delivery` for this check. */
  readonly delivery?: Readonly<Record<string, unknown>>;
  readonly roomVersion?: "11" | "12";
  /** It leaves behind what would confuse others: it is not run on a stage that others use. */
  readonly alone?: boolean;
  /** Why it does not apply to a network; asked before anything is started. */
  readonly without?: (fake: NetworkFake) => string | undefined;
  /** The bridge runs, and has relayed a message each way in both places. */
  readonly run: (stage: Stage, note: Note) => Promise<void>;
}

type Options = Partial<Omit<ConnectorCheck, "id" | "title" | "run">> & { readonly level?: Level };

/** A check; its id begins with the promise. */
export function check(id: string, title: string, run: ConnectorCheck["run"], options: Options = {}): ConnectorCheck {
  const [promise = ""] = id.split(".");
  const group = Object.entries(promises).find(([name]) => name === promise)?.[1] ?? promises.can;
  return { id, group, title, level: "must", run, ...options };
}

/** Left out where the fake lacks an optional member. */
export function needs(...members: readonly (keyof NetworkFake)[]): (fake: NetworkFake) => string | undefined {
  return (fake) => {
    const missing = members.filter((member) => fake[member] === undefined || fake[member] === false);
    return missing.length === 0 ? undefined : `the fake network has no ${missing.join(", ")}`;
  };
}
