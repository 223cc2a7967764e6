import pc from "picocolors";

/** What a command says: text for a person, or one JSON document. */
export class Output {
  constructor(
    readonly json: boolean,
    private readonly stream: NodeJS.WritableStream = process.stdout,
  ) {}

  /** A line for a person; nothing with `--json`. */
  line(text = ""): void {
    if (!this.json) this.stream.write(`${text}\n`);
  }

  /** The result: `value` with `--json`, else what `print` writes. */
  result(value: unknown, print: () => void): void {
    if (this.json) this.stream.write(`${JSON.stringify(value, null, 2)}\n`);
    else print();
  }

  table(columns: readonly string[], rows: readonly (readonly string[])[]): void {
    for (const line of formatTable(columns, rows)) this.line(line);
  }
}

/** Lines of a table whose columns are as wide as their widest cell. */
export function formatTable(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [columns, ...rows].map((row) => row.map(printable));
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? "").length)));
  return cells.map((row, index) => {
    const line = row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
    return index === 0 ? pc.bold(line) : line;
  });
}

/** Text from a network or a homeserver without what would move a terminal's cursor or change its colours. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, "�");
}

/** `3 s`, `5 min`, `2 h`, `4 d` */
export function formatAge(milliseconds: number): string {
  const units: readonly (readonly [string, number])[] = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["min", 60_000],
    ["s", 1_000],
  ];
  const [name, size] = units.find(([, each]) => milliseconds >= each) ?? ["ms", 1];
  return `${Math.floor(milliseconds / size)} ${name}`;
}

/** `2026-01-31 12:00:00` in the local time zone. */
export function formatTime(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
