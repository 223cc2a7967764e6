import { importRecords, loadConfig, loadConnector } from "@trestle/core";
import type { Importer, ImportRemarks, ImportReport, LoadedConfig } from "@trestle/core";
import type { Command } from "commander";
import pc from "picocolors";
import { CliError } from "../failure.js";
import { withCommonOptions } from "../options.js";
import type { CommonOptions } from "../options.js";
import { Output, printable } from "../output.js";

interface ImportOptions extends CommonOptions {
  readonly bridge?: string;
  readonly apply?: boolean;
}

export function addImport(program: Command): void {
  withCommonOptions(
    program
      .command("import")
      .description(
        "take over rooms, people and messages from another bridge; Trestle and the other bridge must be stopped",
      )
      .argument("<format>", "the other bridge, e.g. matrix-appservice-slack")
      .argument("<source>", "where it kept them: the URL of a database, or a directory")
      .option("--bridge <name>", "the bridge that takes over, where several could")
      .option("--apply", "write; otherwise only say what would be written"),
  ).action(async (format: string, source: string, options: ImportOptions) => {
    const loaded = await loadConfig(options.config);
    const { bridge, config, importer } = await findImporter(loaded, format, options.bridge);
    const apply = options.apply ?? false;
    const report = await importRecords(loaded, { bridge, records: recordsOf(importer, source, config), apply });
    const output = new Output(options.json ?? false);
    const bot = loaded.registrations.get(bridge)?.bot;
    output.result(report, () => printReport(output, report, apply, bot));
    if (report.obstacles.length > 0) throw new CliError("problemsFound", apply ? "Nothing was written." : "");
  });
}

/** What an importer says of its source is for the person who gave it, and no fault of Trestle's. */
async function* recordsOf(importer: Importer, source: string, config: unknown): ReturnType<Importer["read"]> {
  try {
    yield* importer.read(source, { config, environment: process.env });
  } catch (error) {
    throw new CliError("refused", `The import was given up, and nothing was written: ${textOf(error)}`);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

interface Found {
  readonly bridge: string;
  /** Its `network:` section. */
  readonly config: unknown;
  readonly importer: Importer;
}

async function findImporter(loaded: LoadedConfig, format: string, wanted: string | undefined): Promise<Found> {
  const known = new Set<string>();
  const found: Found[] = [];
  for (const { name, connector, network } of loaded.config.bridges) {
    if (wanted !== undefined && name !== wanted) continue;
    const { importers = {} } = await loadConnector(connector, loaded.directory);
    for (const each of Object.keys(importers)) known.add(each);
    const importer = Object.hasOwn(importers, format) ? importers[format] : undefined;
    if (importer) found.push({ bridge: name, config: network, importer });
  }
  const [first, ...others] = found;
  if (!first) throw new CliError("usage", nobody(loaded, format, wanted, [...known]));
  if (others.length > 0) {
    const names = found.map(({ bridge }) => bridge).join(", ");
    throw new CliError("usage", `Several bridges could take over from ${format}: ${names}. Say which with --bridge.`);
  }
  return first;
}

function nobody(loaded: LoadedConfig, format: string, wanted: string | undefined, known: readonly string[]): string {
  const names = loaded.config.bridges.map(({ name }) => name);
  if (wanted !== undefined && !names.includes(wanted))
    return `There is no bridge ${wanted} in the configuration; there is ${names.join(", ")}.`;
  const able = known.length === 0 ? "They can import nothing." : `They can import: ${known.join(", ")}.`;
  return `None of the bridges ${wanted ?? names.join(", ")} can import ${format}. ${able}`;
}

function printReport(output: Output, report: ImportReport, apply: boolean, bot: string | undefined): void {
  const { applied, ghosts, links, logins, messages, reactions } = report;
  const kinds = { links, ghosts, messages, reactions, ...(logins.added + logins.present > 0 && { logins }) };
  output.table(
    ["WHAT", applied ? "WRITTEN" : "TO WRITE", "THERE ALREADY"],
    Object.entries(kinds).map(([kind, { added, present }]) => [kind, String(added), String(present)]),
  );
  printRemarks(output, pc.yellow("Left out"), report.leftOut);
  printRemarks(output, pc.bold("To do"), report.toDo);
  printRemarks(output, pc.red("In the way"), report.obstacles);
  if (links.added > 0 && bot !== undefined)
    output.line(`\n${printable(bot)} must be in the linked rooms: invite it where it is not the old bridge's bot.`);
  output.line();
  if (applied) output.line(`${pc.green("✓")} Written to the bridge ${report.bridge}. Start Trestle with: trestle run`);
  else if (apply) output.line("Mend what is in the way, and run this again.");
  else output.line("Nothing was written. Write it with --apply.");
}

function printRemarks(output: Output, title: string, remarks: readonly ImportRemarks[]): void {
  if (remarks.length === 0) return;
  output.line();
  output.line(`${title}:`);
  for (const { reason, count, examples } of remarks) {
    output.line(`  ${printable(reason)} (${count}):`);
    for (const example of examples) output.line(`    ${printable(example)}`);
    if (count > examples.length) output.line(`    … and ${count - examples.length} more`);
  }
}
