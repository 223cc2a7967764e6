import {
  AdminClient,
  checkTogether,
  ConfigError,
  formatProblem,
  readAdminAccess,
  readConfig,
  readRegistration,
} from "@trestle/core";
import type { ConfigFile, NamedRegistration } from "@trestle/core";
import { failed, ok, skipped, warning } from "./finding.js";
import type { Finding } from "./finding.js";
import { checkHomeserver, checkIdentity } from "./homeserver-checks.js";
import { checkAddress, checkConnector, checkData, registrationFindings } from "./local-checks.js";
import type { UsableConnector } from "./local-checks.js";
import { checkNetwork } from "./network-checks.js";
import { checkPing } from "./ping-check.js";
import { checkPolicyLists } from "./policy-checks.js";
import { startStandIn } from "./stand-in.js";
import type { StandIn } from "./stand-in.js";

/** Examines a configuration, its registrations and its homeserver; yields findings as they are made. */
export async function* diagnose(configPath: string): AsyncGenerator<Finding> {
  const file = await configuration(configPath);
  if (!("config" in file)) {
    yield* file;
    return;
  }
  yield ok("configuration", `${configPath} is valid.`);
  for (const problem of file.warnings)
    yield warning("configuration", formatProblem(problem), "See docs/configuration.md.");
  yield await checkData(file.config);
  const registrations: NamedRegistration[] = [];
  const connectors: UsableConnector[] = [];
  for (const bridge of file.config.bridges) {
    const { finding, usable } = await checkConnector(file, bridge);
    yield finding;
    if (usable !== undefined) connectors.push(usable);
    const reading = await readRegistration(bridge.registration, file.config.homeserver.name);
    yield* registrationFindings(bridge.name, reading.problems);
    if (reading.registration === undefined) continue;
    registrations.push({ name: bridge.name, file: bridge.registration, registration: reading.registration });
    yield checkAddress(file.config, bridge.name, reading.registration);
  }
  for (const problem of checkTogether(registrations)) {
    yield failed(
      "registration",
      formatProblem(problem),
      "Make another registration with: trestle registration generate",
    );
  }
  const reached = await checkHomeserver(file);
  yield* reached;
  if (reached.every((finding) => finding.state !== "failed")) yield* conversation(file, registrations);
  const running = connectors.length > 0 && (await isRunning(file));
  for (const connector of connectors) yield* await checkNetwork(connector, { running });
}

async function configuration(path: string): Promise<ConfigFile | readonly Finding[]> {
  try {
    return await readConfig(path);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) =>
      failed("configuration", formatProblem(problem), "See docs/configuration.md."),
    );
  }
}

/** What needs the homeserver to answer and, for the ping, something to listen where Trestle does. */
async function* conversation(file: ConfigFile, registrations: readonly NamedRegistration[]): AsyncGenerator<Finding> {
  const known: NamedRegistration[] = [];
  for (const each of registrations) {
    const findings = await checkIdentity(file, each.name, each.registration);
    yield* findings;
    if (!findings.every((finding) => finding.check !== "as_token" || finding.state === "ok")) continue;
    known.push(each);
    yield* await checkPolicyLists(file.config, each.name, each.registration);
  }
  if (known.length === 0) return;
  const listener = await listen(file, registrations);
  yield listener.finding;
  try {
    for (const { name, registration } of known)
      yield* await checkPing(file.config, name, registration, listener.standIn);
  } finally {
    await listener.standIn?.close();
  }
}

interface Listener {
  readonly finding: Finding;
  readonly standIn?: StandIn;
}

async function listen(file: ConfigFile, registrations: readonly NamedRegistration[]): Promise<Listener> {
  const { host, port } = file.config.listen;
  if (await isRunning(file)) return { finding: ok("listener", `Trestle runs and listens on ${host}:${port}.`) };
  const start = await startStandIn(
    file.config,
    registrations.map((each) => each.registration),
  );
  if (start.started) {
    return {
      finding: skipped("listener", `Trestle does not run; the doctor listens on ${host}:${port} in its place.`),
      standIn: start.standIn,
    };
  }
  if (start.code === "EADDRINUSE") {
    const text = `Another program listens on ${host}:${port}, and it is no Trestle of this configuration.`;
    return {
      finding: failed(
        "listener",
        text,
        `Stop it (ss -ltnp 'sport = :${port}' says which it is), or choose another listen.port.`,
      ),
    };
  }
  return {
    finding: failed(
      "listener",
      `Nothing can listen on ${host}:${port}: ${start.message}.`,
      "Set listen.host to an address of this machine, or 0.0.0.0.",
    ),
  };
}

async function isRunning({ config }: ConfigFile): Promise<boolean> {
  const { url, token } = await readAdminAccess(config.dataDirectory);
  if (token === undefined) return false;
  const { host, port } = config.operations;
  const address = url ?? `http://${host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host}:${port}`;
  return new AdminClient({ url: address, token, timeout: 5_000 }).status().then(
    () => true,
    () => false,
  );
}
