import { Command } from "commander";
import { packageVersion } from "./version.js";
import { addCheck } from "./commands/check.js";
import { addConformance } from "./commands/conformance.js";
import { addDoctor } from "./commands/doctor.js";
import { addHomeserver } from "./commands/homeserver.js";
import { addImport } from "./commands/import.js";
import { addInit } from "./commands/init.js";
import { addLinks } from "./commands/links.js";
import { addNew } from "./commands/new.js";
import { addQueue } from "./commands/queue.js";
import { addRegistration } from "./commands/registration.js";
import { addReload } from "./commands/reload.js";
import { addRun } from "./commands/run.js";
import { addStart } from "./commands/start.js";
import { addStatus } from "./commands/status.js";

/** The `trestle` command with all its subcommands. */
export function createProgram(): Command {
  const program = new Command("trestle")
    .description("Bridges Matrix rooms to channels of other networks")
    .version(packageVersion())
    .exitOverride()
    .showHelpAfterError("(trestle --help lists the commands)")
    .showSuggestionAfterError(true);
  for (const add of [
    addInit,
    addRegistration,
    addCheck,
    addDoctor,
    addConformance,
    addRun,
    addStart,
    addLinks,
    addStatus,
    addReload,
    addQueue,
    addImport,
    addNew,
    addHomeserver,
  ]) {
    add(program);
  }
  return program;
}
