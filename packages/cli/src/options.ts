import { Option } from "commander";
import type { Command } from "commander";

/** What every command that reads the configuration takes. */
export interface CommonOptions {
  readonly config: string;
  readonly json?: boolean;
  readonly debug?: boolean;
}

export function withCommonOptions(command: Command): Command {
  return withOutputOptions(command.addOption(configOption().default("trestle.yaml")));
}

export function configOption(): Option {
  return new Option("-c, --config <file>", "the configuration").env("TRESTLE_CONFIG");
}

/** What every command takes. */
export function withOutputOptions(command: Command): Command {
  return command.option("--json", "print JSON").option("--debug", "print the stack of an error");
}
