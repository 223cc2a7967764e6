/** A message as it was delivered, in text rather than bytes. */
export interface LoggedMessage {
  /** The sender's nick; the server's name where the server spoke. */
  readonly from: string;
  /** `nick!user@host`. */
  readonly source: string;
  /** A channel (with its STATUSMSG prefix, if any) or a nick. */
  readonly to: string;
  readonly command: "PRIVMSG" | "NOTICE" | "TAGMSG";
  /** Cut as the server cuts it; CTCP (`\x01ACTION waves\x01`) as it came; a `draft/multiline` message with line feeds. */
  readonly text: string;
  /** `time`, `msgid`, `account` and the client's own tags. */
  readonly tags: Readonly<Record<string, string>>;
  /** In milliseconds since 1970. */
  readonly at: number;
}

/** A message that was taken back. */
export interface LoggedRedaction {
  /** The nick of who took it back. */
  readonly by: string;
  /** A channel or a nick. */
  readonly to: string;
  readonly msgid: string;
  readonly reason: string | undefined;
  /** In milliseconds since 1970. */
  readonly at: number;
}

/** The lines one connection sent, under every nick that it had. */
export interface ConnectionRecord {
  readonly nicks: Set<string>;
  readonly lines: string[];
}

const CONNECTIONS = 2_000;

/** What a test looks at. Kept across outages, with the oldest dropped where there is too much. */
export class Records {
  readonly #messages = new Map<string, LoggedMessage[]>();
  readonly #redactions = new Map<string, LoggedRedaction[]>();
  readonly #connections: ConnectionRecord[] = [];

  constructor(private readonly remember: number) {}

  /** Everything said to a folded channel or nick, in order. The same array grows. */
  messagesTo(foldedTarget: string): LoggedMessage[] {
    let messages = this.#messages.get(foldedTarget);
    if (messages === undefined) {
      messages = [];
      this.#messages.set(foldedTarget, messages);
    }
    return messages;
  }

  addMessage(foldedTarget: string, message: LoggedMessage): void {
    keep(this.messagesTo(foldedTarget), message, this.remember);
  }

  /** What was taken back in a folded channel or of a folded nick's messages, in order. */
  redactionsIn(foldedTarget: string): readonly LoggedRedaction[] {
    return this.#redactions.get(foldedTarget) ?? [];
  }

  addRedaction(foldedTarget: string, redaction: LoggedRedaction): void {
    const redactions = this.#redactions.get(foldedTarget) ?? [];
    keep(redactions, redaction, this.remember);
    this.#redactions.set(foldedTarget, redactions);
  }

  openConnection(): ConnectionRecord {
    const record = { nicks: new Set<string>(), lines: [] };
    keep(this.#connections, record, CONNECTIONS);
    return record;
  }

  addLine(record: ConnectionRecord, line: string): void {
    keep(record.lines, line, this.remember);
  }

  linesFrom(foldedNick: string): string[] {
    return this.#connections.filter((record) => record.nicks.has(foldedNick)).flatMap((record) => record.lines);
  }
}

/** Drops a tenth at once, so that a full list costs nothing per entry. */
function keep<T>(list: T[], item: T, limit: number): void {
  if (list.length >= limit) list.splice(0, Math.max(1, Math.floor(limit / 10)));
  list.push(item);
}
