import { formatProblem, loadConfig, loadConnector, parseNetworkConfig } from "@trestle/core";
import type { LoadedConfig } from "@trestle/core";
import type { Command } from "commander";
import pc from "picocolors";
import { withCommonOptions } from "../options.js";
import type { CommonOptions } from "../options.js";
import { Output } from "../output.js";

export function addCheck(program: Command): void {
  withCommonOptions(
    program.command("check").description("validate the configuration and its registrations, offline"),
  ).action(async (options: CommonOptions) => {
    const loaded = await loadConfig(options.config);
    await checkConnectors(loaded);
    const output = new Output(options.json ?? false);
    const names = loaded.config.bridges.map((bridge) => bridge.name);
    output.result({ ok: true, bridges: names, warnings: loaded.warnings }, () => {
      for (const warning of loaded.warnings) output.line(`${pc.yellow("!")} ${formatProblem(warning)}`);
      output.line(`${pc.green("✓")} ${options.config} and the registrations of ${names.join(", ")} are valid.`);
      output.line("  trestle doctor tries them against the homeserver.");
    });
  });
}

/** Loads every connector and validates its section of the configuration. */
export async function checkConnectors(loaded: LoadedConfig): Promise<void> {
  for (const bridge of loaded.config.bridges) {
    const connector = await loadConnector(bridge.connector, loaded.directory);
    parseNetworkConfig(loaded, bridge.name, connector);
  }
}
