/**
 * Metrics of a connector's own, on `GET /metrics` beside those of the core. A metric is named
 * `trestle_<network>_<name>` and has the label `bridge` besides its own, so that several bridges to one network share it.
 * The same one may be asked for again; with other labels or of another kind that throws a `RangeError`.
 */
export interface ConnectorMetrics {
  /** A number that only grows; `name` ends with `_total`. */
  readonly counter: <const Label extends string = never>(
    name: string,
    help: string,
    labels?: LabelSets<Label>,
  ) => ConnectorCounter<Label>;
  /** A distribution of durations in seconds; `name` ends with `_seconds`. */
  readonly histogram: <const Label extends string = never>(
    name: string,
    help: string,
    labels?: LabelSets<Label>,
  ) => ConnectorHistogram<Label>;
}

/**
 * What values each label may have: these, or so many different ones, whichever come first. Every other value is counted
 * as `other`: what people on a network type must not make new series without end.
 */
export type LabelSets<Label extends string> = Readonly<Record<Label, readonly string[] | number>>;

/** One value for every label. */
export type Labels<Label extends string> = Readonly<Record<Label, string>>;

/** A number that only grows. */
export interface ConnectorCounter<Label extends string = never> {
  /** Adds `by`, 1 where absent; a negative number and none at all add nothing. */
  readonly add: (labels: Labels<Label>, by?: number) => void;
}

/** A distribution of durations. */
export interface ConnectorHistogram<Label extends string = never> {
  /** Notes one duration. */
  readonly observe: (labels: Labels<Label>, seconds: number) => void;
}
