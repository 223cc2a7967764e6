import type { ReloadView } from "@trestle/core";
import type { Command } from "commander";
import pc from "picocolors";
import { CliError } from "../failure.js";
import { withCommonOptions } from "../options.js";
import type { CommonOptions } from "../options.js";
import { Output, printable } from "../output.js";
import { withRunning } from "../services.js";

export function addReload(program: Command): void {
  withCommonOptions(
    program
      .command("reload")
      .description("have the running Trestle read its configuration again, as SIGHUP does, and say what changed"),
  ).action(async (options: CommonOptions) => {
    const view = await withRunning(options.config, (services) => services.reload());
    const output = new Output(options.json ?? false);
    output.result(view, () => printReload(output, view));
    const failure = failureOf(view);
    // The JSON has said it.
    if (failure) throw options.json === true ? new CliError(failure.exit, "") : failure;
  });
}

function printReload(output: Output, view: ReloadView): void {
  if (view.refused !== null) return;
  const { changed, needsRestart, restarted, started, stopped, failed } = view;
  if (changed.length === 0) {
    output.line("Nothing has changed.");
    return;
  }
  output.line("Changed:");
  for (const key of changed) output.line(`  ${printable(key)}${needsRestart.includes(key) ? waits : ""}`);
  for (const name of restarted) output.line(`${pc.green("✓")} ${name} runs with its new settings`);
  for (const name of started) output.line(`${pc.green("✓")} ${name} is new and runs`);
  for (const name of stopped) output.line(`${pc.green("✓")} ${name} is configured no longer and has been stopped`);
  for (const { bridge, runs } of failed)
    output.line(`${pc.red("✗")} ${bridge} ${runs ? "goes on with its old settings" : "is down"}`);
}

const waits = pc.yellow(" (read when Trestle starts: restart it for this)");

function failureOf({ refused, failed }: ReloadView): CliError | undefined {
  if (refused !== null) {
    const message = `The configuration cannot be used; the old one stays in force:\n${refused.message}`;
    return new CliError(refused.why, message);
  }
  if (failed.length === 0) return undefined;
  const reasons = failed.map(({ bridge, reason }) => `${bridge}: ${reason}`).join("\n");
  return new CliError("refused", `Not every bridge could be started with its new settings:\n${reasons}`);
}
