import { createLogger, formatProblem, loadConfig, StartError, startTrestle } from "@trestle/core";
import type { LoadedConfig, LogConfig, Logger } from "@trestle/core";
import type { Command } from "commander";
import { findRefusal } from "../doctor/entrance.js";
import { exitCodes } from "../exit-codes.js";
import { CliError } from "../failure.js";
import { withCommonOptions } from "../options.js";
import type { CommonOptions } from "../options.js";
import { RunSignals } from "./run-signals.js";

export function addRun(program: Command): void {
  withCommonOptions(
    program
      .command("run")
      .description("run the bridges of a configuration until SIGTERM or SIGINT; SIGHUP reads it again"),
  ).action(async (options: CommonOptions) => runConfigured(options.config));
}

/** How much longer than the configured time a stop may take before the process ends by itself, in milliseconds. */
const stopGrace = 15_000;

/** Runs until a signal asks to stop, then stops gracefully: intake first, then lanes, then networks. */
export async function runConfigured(path: string): Promise<void> {
  const signals = new RunSignals();
  try {
    const loaded = await loadConfig(path);
    const log = await openLog(loaded.config.log);
    for (const warning of loaded.warnings) log.warn(formatProblem(warning));
    await runLoaded(loaded, path, log, signals);
  } finally {
    signals.close();
  }
}

/** What makes lines readable is loaded where a person reads them: a service's log is JSON. */
async function openLog(config: LogConfig): Promise<Logger> {
  if (config.format === "json" || (config.format === "auto" && !process.stdout.isTTY)) return createLogger(config);
  const { default: pretty } = await import("pino-pretty");
  return createLogger(config, { pretty: () => pretty({ sync: true }) });
}

async function runLoaded(loaded: LoadedConfig, path: string, log: Logger, signals: RunSignals): Promise<void> {
  const defects = watchDefects(log, signals);
  const entrance = new AbortController();
  try {
    const trestle = await startTrestle(loaded, { log, reread: () => loadConfig(path) });
    signals.reloadWith(() => {
      // Whether the homeserver knows the registrations of the start is of no interest any more.
      entrance.abort();
      trestle.reload().catch((error: unknown) => log.error({ err: error }, "The configuration could not be taken up"));
    });
    const asked = findRefusal(loaded, entrance.signal).then((refusal) => {
      if (refusal !== undefined) signals.ask(refusal);
    });
    const reason = await signals.stop;
    entrance.abort();
    if (typeof reason === "string") log.info({ reason }, "Trestle is asked to stop");
    await bounded(Promise.all([trestle.close(), asked]), trestle.config.delivery.stopTimeout + stopGrace);
    if (reason instanceof StartError) throw reason;
    if (reason === "defect")
      throw new CliError("unexpected", "Trestle stopped because of a defect; the log says more.");
  } finally {
    entrance.abort();
    defects.close();
  }
}

/** A stop that hangs must not keep the process from ending: whatever is undelivered is in the journal. */
async function bounded(closing: Promise<unknown>, limit: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new CliError("unexpected", `Trestle did not stop within ${limit} ms and was ended; nothing is lost.`));
    }, limit);
  });
  try {
    await Promise.race([closing, late]);
  } catch (error) {
    if (error instanceof CliError) setImmediate(() => process.exit(exitCodes[error.exit]));
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** A rejection that nobody handled is logged and survived; an exception that nobody caught leaves an unknown state, so Trestle stops in order. */
function watchDefects(log: Logger, signals: RunSignals): { close(): void } {
  const onRejection = (error: unknown): void => log.error({ err: error }, "A defect: nobody handled a rejection");
  const onException = (error: Error): void => {
    log.fatal({ err: error }, "A defect: nobody caught an exception; Trestle stops");
    signals.ask("defect");
  };
  process.on("unhandledRejection", onRejection).on("uncaughtException", onException);
  return {
    close: () => {
      process.off("unhandledRejection", onRejection).off("uncaughtException", onException);
    },
  };
}
