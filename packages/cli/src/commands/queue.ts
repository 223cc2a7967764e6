import type { Direction, QueueDetail, QueueEntry, QueueFilter, QueueState } from "@trestle/core";
import { Command, InvalidArgumentError, Option } from "commander";
import pc from "picocolors";
import { CliError } from "../failure.js";
import { withCommonOptions } from "../options.js";
import type { CommonOptions } from "../options.js";
import { formatAge, formatTime, Output, printable } from "../output.js";
import { withRunningOrStore } from "../services.js";

interface ListOptions extends CommonOptions {
  readonly bridge?: string;
  readonly state?: QueueState;
  readonly direction?: Direction;
  readonly limit?: number;
  readonly after?: number;
}

export function addQueue(program: Command): void {
  const queue = program.command("queue").description("see, replay or drop what is not delivered");
  addList(queue);
  addShow(queue);
  addChange(queue, "replay", "put dead letters back into their lanes, to be tried again", "Put back");
  addChange(queue, "drop", "forget dead letters for good", "Dropped");
}

function addList(queue: Command): void {
  withCommonOptions(queue.command("list").description("list what waits and what died"))
    .option("--bridge <name>", "only of this bridge")
    .addOption(new Option("--state <state>", "only in this state").choices(["queued", "waiting", "dead"]))
    .addOption(new Option("--direction <direction>", "only this way").choices(["toNetwork", "toMatrix"]))
    .option("--limit <count>", "at most so many (1 to 1000)", wholeNumber(1, 1000))
    .option("--after <number>", "only entries after this one", wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .action(async (options: ListOptions) => {
      const entries = await withRunningOrStore(options.config, (services) => services.queue.list(filterOf(options)));
      const output = new Output(options.json ?? false);
      output.result(entries, () => printEntries(output, entries));
    });
}

function addShow(queue: Command): void {
  withCommonOptions(
    queue
      .command("show")
      .description("show one entry whole")
      .argument("<number>", "its number in the list", wholeNumber(1, Number.MAX_SAFE_INTEGER)),
  ).action(async (seq: number, options: CommonOptions) => {
    const entry = await withRunningOrStore(options.config, (services) => services.queue.show(seq));
    if (entry === undefined) throw new CliError("refused", `There is no entry ${seq} in the queue.`);
    const output = new Output(options.json ?? false);
    output.result(entry, () => printDetail(output, entry));
  });
}

function addChange(queue: Command, change: "replay" | "drop", description: string, done: string): void {
  withCommonOptions(
    queue
      .command(change)
      .description(description)
      .argument("[numbers...]", "entries of the list", collectNumber)
      .option("--all", "all dead letters"),
  ).action(async (seqs: readonly number[], options: CommonOptions & { readonly all?: boolean }) => {
    if ((options.all === true) === seqs.length > 0)
      throw new CliError("usage", "Give either the numbers of entries or --all.");
    const selection = options.all === true ? "all" : seqs;
    const count = await withRunningOrStore(options.config, (services) => services.queue[change](selection));
    const output = new Output(options.json ?? false);
    output.result({ count }, () => output.line(`${done}: ${count} ${count === 1 ? "dead letter" : "dead letters"}.`));
    if (selection !== "all" && count < selection.length) {
      throw new CliError(
        "refused",
        `${selection.length - count} of ${selection.length} entries are no dead letters (any more).`,
      );
    }
  });
}

function filterOf({ bridge, state, direction, limit, after }: ListOptions): QueueFilter {
  return {
    ...(bridge !== undefined && { bridge }),
    ...(state !== undefined && { state }),
    ...(direction !== undefined && { direction }),
    ...(limit !== undefined && { limit }),
    ...(after !== undefined && { after }),
  };
}

function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= minimum && value <= maximum)) throw new InvalidArgumentError("Expected a whole number.");
    return value;
  };
}

function collectNumber(text: string, earlier: readonly number[] | undefined): readonly number[] {
  return [...(earlier ?? []), wholeNumber(1, Number.MAX_SAFE_INTEGER)(text)];
}

const arrows: Readonly<Record<Direction, string>> = { toNetwork: "Matrix → network", toMatrix: "network → Matrix" };

function printEntries(output: Output, entries: readonly QueueEntry[]): void {
  if (entries.length === 0) {
    output.line("Nothing waits, and there are no dead letters.");
    return;
  }
  const rows = entries.map((entry) => [
    String(entry.seq),
    entry.bridge,
    arrows[entry.direction],
    entry.state,
    entry.lane,
    formatAge(Date.now() - entry.receivedAt),
    String(entry.attempts),
    shorten(entry.error ?? "", 60),
  ]);
  output.table(["NUMBER", "BRIDGE", "WAY", "STATE", "LANE", "AGE", "TRIES", "ERROR"], rows);
}

function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

function printDetail(output: Output, entry: QueueDetail): void {
  const lines: readonly (readonly [string, string])[] = [
    ["number", String(entry.seq)],
    ["bridge", entry.bridge],
    ["way", arrows[entry.direction]],
    ["state", entry.state],
    ["lane", entry.lane],
    ["source", entry.source],
    ["received", formatTime(entry.receivedAt)],
    ["tries", String(entry.attempts)],
    ["error", entry.error ?? "none"],
  ];
  for (const [name, value] of lines) output.line(`${pc.bold(name.padEnd(9))} ${printable(value)}`);
  output.line();
  for (const line of JSON.stringify(entry.payload, null, 2).split("\n")) output.line(printable(line));
}
