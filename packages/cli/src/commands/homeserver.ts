import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { withOutputOptions } from "../options.js";
import type { HomeserverCommandOptions } from "./homeserver-run.js";

/** The names of the test kit's profiles, which is loaded only once the command runs. */
const PROFILES = ["spec", "synapse", "dendrite", "tuwunel", "construct"];

export function addHomeserver(program: Command): void {
  withOutputOptions(
    program
      .command("homeserver")
      .description("run the test kit's Matrix homeserver, in memory, for manual work; never for real users")
      .addOption(
        new Option("--port <port>", "the port of the client-server API; 0 takes any")
          .argParser(parsePort)
          .default(8008),
      )
      .option("--server-name <name>", "the domain of its users", "localhost")
      .addOption(new Option("--profile <name>", "which homeserver it behaves as").choices(PROFILES).default("synapse"))
      .addOption(
        new Option("--registration <file>", "an application service's registration, YAML or JSON (repeatable)")
          .argParser(collect)
          .default([]),
      )
      .addOption(
        new Option("--user <name:password>", "a user that is there from the start (repeatable)")
          .argParser(collect)
          .default([]),
      )
      .addOption(
        new Option("--control-port <port>", "the port of the fault switches; 0 takes any").argParser(parsePort),
      ),
  ).action(async (options: HomeserverCommandOptions) => {
    const { runHomeserver } = await import("./homeserver-run.js");
    await runHomeserver(options);
  });
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65535)) throw new InvalidArgumentError("Expected a port, 0 to 65535.");
  return port;
}
