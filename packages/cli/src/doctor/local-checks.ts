import { constants } from "node:fs";
import { access, rm, statfs, writeFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { dirname, join } from "node:path";
import { formatProblem, loadConnector, parseNetworkConfig } from "@trestle/core";
import type { BridgeConfig, Config, ConfigFile, Connector, Problem, Registration } from "@trestle/core";
import { failed, ok, warning } from "./finding.js";
import type { Finding } from "./finding.js";

/** A connector that loads, with the settings it takes. */
export interface UsableConnector {
  readonly bridge: string;
  readonly connector: Connector;
  readonly config: unknown;
}

/** Does the connector load, and does it take its settings? */
export async function checkConnector(
  file: ConfigFile,
  bridge: BridgeConfig,
): Promise<{ readonly finding: Finding; readonly usable?: UsableConnector }> {
  const { name } = bridge;
  try {
    const connector = await loadConnector(bridge.connector, file.directory);
    const config = parseNetworkConfig(file, name, connector);
    const text = `The connector ${bridge.connector} loads and takes its settings.`;
    return { finding: ok("connector", text, { bridge: name }), usable: { bridge: name, connector, config } };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const cure = "Correct the bridge's connector or network section.";
    return { finding: failed("connector", text, cure, { bridge: name }) };
  }
}

/** The problems of a registration as findings. */
export function registrationFindings(bridge: string, problems: readonly Problem[]): readonly Finding[] {
  if (problems.length === 0) return [ok("registration", "The registration is valid.", { bridge })];
  return problems.map((problem) => ({
    check: "registration",
    bridge,
    state: problem.severity === "error" ? "failed" : "warning",
    text: formatProblem({ ...problem, severity: "error" }),
    cure: "Correct the file, copy it to the homeserver as well and restart the homeserver.",
  }));
}

/** Does the url of the registration lead to where Trestle listens? */
export function checkAddress(config: Config, bridge: string, registration: Registration): Finding {
  const { host, port } = config.listen;
  const url = new URL(registration.url ?? "http://invalid");
  const wanted = Number(url.port === "" ? (url.protocol === "https:" ? 443 : 80) : url.port);
  if (!isLocal(url.hostname)) {
    if (!isLoopback(host))
      return ok("address", `The homeserver is told ${url.origin}; Trestle listens on ${host}:${port}.`, { bridge });
    return warning(
      "address",
      `The homeserver is told ${url.origin}, but Trestle listens on ${host}:${port}, which only this machine reaches.`,
      `Set listen.host to 0.0.0.0, unless a proxy at ${url.host} passes requests on to ${host}:${port}.`,
      { bridge },
    );
  }
  if (url.protocol === "https:") {
    return warning(
      "address",
      `The homeserver is told ${url.origin}, but Trestle speaks plain HTTP.`,
      `Write http://${url.hostname}:${port} as url, unless a proxy with TLS is at ${url.host}.`,
      { bridge },
    );
  }
  if (port === 0) {
    return warning(
      "address",
      "listen.port is 0, so the port changes at every start.",
      `Set listen.port to ${wanted}.`,
      { bridge },
    );
  }
  if (wanted !== port) {
    return failed(
      "address",
      `The homeserver is told ${url.origin}, but Trestle listens on port ${port}.`,
      `Set listen.port to ${wanted}, or correct url in the registration, copy it to the homeserver and restart the homeserver.`,
      { bridge },
    );
  }
  return ok("address", `The homeserver is told ${url.origin}, where Trestle listens.`, { bridge });
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127\./.test(host);
}

function isLocal(hostname: string): boolean {
  const bare = hostname.replace(/^\[(.*)\]$/, "$1");
  const own = Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map((address) => address.address));
  return isLoopback(bare) || own.includes(bare);
}

const enoughBytes = 200 * 1024 * 1024;

/** Can Trestle write where its database is, and is there room? */
export async function checkData({ dataDirectory }: Config): Promise<Finding> {
  const directory = await nearestExisting(dataDirectory);
  const probe = join(directory, `.trestle-doctor-${process.pid}`);
  try {
    await writeFile(probe, "");
    await rm(probe, { force: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return failed(
      "data",
      `${directory} cannot be written: ${message}.`,
      "Give it to the user that runs Trestle (chown), or choose another dataDirectory.",
    );
  }
  const unwritable = await firstUnwritable(dataDirectory);
  if (unwritable !== undefined) {
    return failed(
      "data",
      `${unwritable} cannot be written.`,
      "Give it, and the files beside it, to the user that runs Trestle (chown).",
    );
  }
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize < enoughBytes) {
    return warning(
      "data",
      `Only ${Math.floor((bavail * bsize) / 1_048_576)} MiB are free in ${directory}.`,
      "Make room: without it Trestle takes no more events.",
    );
  }
  return ok("data", directory === dataDirectory ? `${dataDirectory} is writable.` : `${dataDirectory} can be made.`);
}

/** The directory itself, or the one in which it would be made: the doctor makes nothing. */
async function nearestExisting(directory: string): Promise<string> {
  const parent = dirname(directory);
  if (parent === directory) return directory;
  return access(directory).then(
    () => directory,
    () => nearestExisting(parent),
  );
}

async function firstUnwritable(directory: string): Promise<string | undefined> {
  for (const name of ["trestle.db", "trestle.db-wal", "trestle.db-shm", "admin-token"]) {
    const path = join(directory, name);
    const writable = await access(path, constants.W_OK).then(
      () => true,
      (error: unknown) => error instanceof Error && "code" in error && error.code === "ENOENT",
    );
    if (!writable) return path;
  }
  return undefined;
}
