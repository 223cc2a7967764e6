/** What came of joining a channel. */
export type JoinOutcome =
  | { readonly joined: true }
  | { readonly joined: false; readonly numeric: string; readonly reason: string; readonly forwardedTo?: string };

const JOIN_WITHIN_MS = 30_000;
/** How many channels one JOIN names, and how long the list may be. */
const CHANNELS_A_LINE = 10;
const LIST_BYTES = 380;

interface Joining {
  readonly channel: string;
  readonly outcome: Promise<JoinOutcome>;
  readonly settle: (outcome: JoinOutcome) => void;
}

/** The JOINs of one connection that were not answered yet. Requests of the same moment share a line. */
export class Joins {
  readonly #open = new Map<string, Joining>();
  #unsent: { readonly channel: string; readonly key: string | undefined }[] = [];

  constructor(private readonly send: (params: readonly string[]) => void) {}

  /** `folded` identifies the channel, `channel` is how it is written. */
  join(folded: string, channel: string, key?: string): Promise<JoinOutcome> {
    const open = this.#open.get(folded);
    if (open) return open.outcome;
    const { promise, resolve } = withResolvers<JoinOutcome>();
    const timer = setTimeout(
      () => this.settle(folded, { joined: false, numeric: "", reason: "the server did not answer" }),
      JOIN_WITHIN_MS,
    );
    const settle = (outcome: JoinOutcome) => {
      clearTimeout(timer);
      resolve(outcome);
    };
    this.#open.set(folded, { channel, outcome: promise, settle });
    this.#unsent.push({ channel, key });
    if (this.#unsent.length === 1) queueMicrotask(() => this.#flush());
    return promise;
  }

  settle(folded: string, outcome: JoinOutcome): void {
    const joining = this.#open.get(folded);
    if (!joining) return;
    this.#open.delete(folded);
    joining.settle(outcome);
  }

  /** The server says no; `rest` is what follows the channel. */
  refused(folded: string, numeric: string, rest: readonly string[]): void {
    const to = numeric === "470" ? rest[0] : undefined;
    const reason = rest.at(-1) ?? numeric;
    this.settle(folded, { joined: false, numeric, reason, ...(to !== undefined && { forwardedTo: to }) });
  }

  end(reason: string): void {
    for (const folded of [...this.#open.keys()]) this.settle(folded, { joined: false, numeric: "", reason });
  }

  #flush(): void {
    const unsent = this.#unsent.splice(0);
    // A list of keys belongs to the first channels of a list.
    const sorted = [...unsent.filter(({ key }) => key !== undefined), ...unsent.filter(({ key }) => key === undefined)];
    let list: typeof unsent = [];
    for (const next of sorted) {
      const bytes = Buffer.byteLength(paramsOf([...list, next]).join(" "));
      if (list.length > 0 && (list.length >= CHANNELS_A_LINE || bytes > LIST_BYTES)) {
        this.send(paramsOf(list));
        list = [];
      }
      list.push(next);
    }
    if (list.length > 0) this.send(paramsOf(list));
  }
}

function paramsOf(list: readonly { readonly channel: string; readonly key: string | undefined }[]): readonly string[] {
  const keys = list.flatMap(({ key }) => key ?? []);
  const channels = list.map(({ channel }) => channel).join(",");
  return keys.length === 0 ? [channels] : [channels, keys.join(",")];
}

export function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}
