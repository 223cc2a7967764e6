import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { configOption, withOutputOptions } from "../options.js";
import { runConfigured } from "./run.js";

export function addStart(program: Command): void {
  withOutputOptions(
    program
      .command("start")
      .description("run a configuration, or without one the playground: everything in one process, nothing to set up")
      .argument(
        "[network]",
        "what the playground shows beside Matrix: irc, mqtt, slack, xmpp, or the path of a module that describes it",
        "irc",
      )
      .addOption(configOption())
      .addOption(new Option("--port <port>", "the port of the playground's page").argParser(parsePort)),
  ).action(async (name: string, options: { readonly config?: string; readonly port?: number }) => {
    if (options.config !== undefined) {
      await runConfigured(options.config);
      return;
    }
    const { findNetwork, runPlayground } = await import("../playground/index.js");
    const network = await findNetwork(name);
    await runPlayground({ network, ...(options.port !== undefined && { port: options.port }) });
  });
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65535)) throw new InvalidArgumentError("Expected a port, 0 to 65535.");
  return port;
}
