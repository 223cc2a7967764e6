/** One line of the result. */
export interface Figure {
  readonly name: string;
  readonly limit: string;
  readonly measured: string;
  /** `undefined`: for information, without a limit. */
  readonly ok?: boolean;
}

export function atMost(name: string, limit: number, measured: number, unit: string, digits = 1): Figure {
  return { name, limit: `≤ ${limit}${unit}`, measured: `${measured.toFixed(digits)}${unit}`, ok: measured <= limit };
}

export function atLeast(name: string, limit: number, measured: number, unit: string, digits = 0): Figure {
  return { name, limit: `≥ ${limit}${unit}`, measured: `${measured.toFixed(digits)}${unit}`, ok: measured >= limit };
}

export function exactly(name: string, limit: number, measured: number): Figure {
  return { name, limit: `= ${limit}`, measured: String(measured), ok: measured === limit };
}

export function information(name: string, measured: string): Figure {
  return { name, limit: "", measured };
}

/** How long each part runs. */
export interface Pace {
  readonly rounds: number;
  readonly warmMs: number;
  readonly measureMs: number;
  /** Of the runs at a fixed rate. */
  readonly rateMs: number;
  readonly backlog: number;
  readonly stormMs: number;
  /** Of each round with Slack. */
  readonly renewalMs: number;
  /** Messages of each burst over IRC. */
  readonly burst: number;
  readonly starts: number;
  readonly mappedMessages: number;
}

export type Report = (line: string) => void;
