import pc from "picocolors";
import { exitCodes } from "./exit-codes.js";
import { toFailure } from "./failure.js";
import { createProgram } from "./program.js";

/** How long what is left open may take to close by itself, in milliseconds. */
const lingerMs = 2_000;

try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  const failure = toFailure(error);
  process.exitCode = exitCodes[failure.exit];
  // Whatever a failed command left open (a network, a timer) must not keep the process from ending.
  setTimeout(() => process.exit(), lingerMs).unref();
  if (process.argv.includes("--json") && failure.message !== "") {
    const { exit, message, problems } = failure;
    const body = { error: exit, exitCode: exitCodes[exit], message, ...(problems !== undefined && { problems }) };
    process.stdout.write(`${JSON.stringify(body, null, 2)}\n`);
  } else if (failure.message !== "") {
    process.stderr.write(`${pc.red("trestle:")} ${failure.message}\n`);
  }
  if (process.argv.includes("--debug") && error instanceof Error)
    process.stderr.write(`${error.stack ?? error.message}\n`);
}
