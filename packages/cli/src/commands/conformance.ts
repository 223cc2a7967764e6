import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import { withOutputOptions } from "../options.js";
import type { ConformanceCommandOptions } from "./conformance-run.js";

export function addConformance(program: Command): void {
  withOutputOptions(
    program
      .command("conformance")
      .description("examine any application service from outside, in the place of its homeserver")
      .requiredOption("--registration <file>", "the service's registration (YAML or JSON)")
      .requiredOption("--url <url>", "where the service listens", parseUrl)
      .option("--server-name <name>", "the homeserver's name (default: what the namespaces name, else localhost.test)")
      .addOption(
        new Option(
          "--homeserver-port <port>",
          "start a homeserver for the service to talk to, on this port of 127.0.0.1, and examine both ways",
        ).argParser(parsePort),
      )
      .option("--restart-command <command>", "a shell command that restarts the service: examine what it remembers")
      .option("--only <checks...>", "only these checks, or those of a section, such as authorization")
      .addOption(
        new Option("--timeout <seconds>", "how long one request may take").argParser(parseSeconds).default(20),
      ),
  ).action(async (options: ConformanceCommandOptions) => {
    const { runConformance } = await import("./conformance-run.js");
    await runConformance(options);
  });
}

function parseUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:\/\//.test(text))
    throw new InvalidArgumentError("Expected a URL that begins with http:// or https://.");
  return text;
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port > 0 && port <= 65535)) throw new InvalidArgumentError("Expected a port, 1 to 65535.");
  return port;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 600)) throw new InvalidArgumentError("Expected a number of seconds, at most 600.");
  return seconds;
}
