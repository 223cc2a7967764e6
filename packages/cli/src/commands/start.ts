import type { Command } from "commander";
import { configOption, withOutputOptions } from "../options.js";
import { runConfigured } from "./run.js";

export function addStart(program: Command): void {
  withOutputOptions(
    program
      .command("start")
      .description("run a configuration, or without one the playground: everything in one process, nothing to set up")
      .addOption(configOption()),
  ).action(async (options: { readonly config?: string }) => {
    if (options.config !== undefined) return runConfigured(options.config);
    const path: string = "../playground/index.js";
    const { runPlayground } = (await import(path)) as { runPlayground(): Promise<void> };
    return runPlayground();
  });
}
