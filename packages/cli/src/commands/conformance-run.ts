import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import {
  checkService,
  formatReport,
  formatResult,
  readServiceRegistration,
  serverNameOf,
  ServiceAway,
} from "@trestle/conformance";
import { Homeserver } from "@trestle/testkit";
import { load } from "js-yaml";
import { CliError } from "../failure.js";
import { Output } from "../output.js";

export interface ConformanceCommandOptions {
  readonly registration: string;
  readonly url: string;
  readonly serverName?: string;
  readonly homeserverPort?: number;
  readonly restartCommand?: string;
  readonly only?: readonly string[];
  readonly timeout: number;
  readonly json?: boolean;
}

/** How long a restart command may take, in milliseconds. */
const restartMs = 120_000;

/** Examines a service and says what was found; a failure of it is an error without words, for they have been said. */
export async function runConformance(options: ConformanceCommandOptions): Promise<void> {
  const output = new Output(options.json ?? false);
  const registration = await readRegistration(options.registration);
  const homeserver = await startHomeserver(options, registration);
  try {
    let group = "";
    const report = await checkService({
      url: options.url,
      registration,
      timeoutMs: options.timeout * 1_000,
      onResult: (result) => {
        if (result.group !== group) output.line(`\n${result.group}`);
        group = result.group;
        for (const line of formatResult(result)) output.line(line);
      },
      ...(options.serverName !== undefined && { serverName: options.serverName }),
      ...(options.only !== undefined && { only: options.only }),
      ...(homeserver && { homeserver }),
      ...(options.restartCommand !== undefined && { restart: restartBy(options.restartCommand) }),
    });
    output.result(report, () => output.line(`\n${formatReport(report).split("\n").at(-1) ?? ""}`));
    // Everything has been said.
    if (!report.ok) throw new CliError("unexpected", "");
  } catch (error) {
    if (error instanceof ServiceAway) throw new CliError("notRunning", error.message);
    if (error instanceof RangeError) throw new CliError("usage", error.message);
    throw error;
  } finally {
    await homeserver?.stop();
  }
}

async function readRegistration(file: string): Promise<unknown> {
  try {
    const document: unknown = load(await readFile(file, "utf8"));
    readServiceRegistration(document);
    return document;
  } catch (error) {
    throw new CliError(
      "registration",
      `${file} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

async function startHomeserver(options: ConformanceCommandOptions, document: unknown): Promise<Homeserver | undefined> {
  if (options.homeserverPort === undefined) return undefined;
  const serverName = options.serverName ?? serverNameOf(readServiceRegistration(document)) ?? "localhost.test";
  const registration = { ...(typeof document === "object" ? document : {}), url: options.url };
  try {
    return await Homeserver.start({
      serverName,
      port: options.homeserverPort,
      registrations: [registration],
      // What a stranger's service does wrong is in the report, or is not looked at.
      expectDeviations: true,
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new CliError(
      "portInUse",
      `The homeserver for the service does not start on port ${options.homeserverPort}: ${message}`,
    );
  }
}

function restartBy(command: string): () => Promise<void> {
  return () =>
    new Promise((resolve, reject) => {
      const child = spawn(command, { shell: true, stdio: "ignore", timeout: restartMs });
      child.once("error", reject);
      child.once("exit", (code, signal) => {
        if (code === 0) resolve();
        else reject(new Error(`the restart command ended with ${signal ?? `status ${String(code)}`}`));
      });
    });
}
