import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../bounded.js";
import { answerOf, findProgram, type Found, type Missing } from "./found.js";
import { LaunchedServer } from "./launched-server.js";

export interface MosquittoInstall {
  readonly command: string;
}

export interface MosquittoOptions {
  /** Further configuration in its own format. */
  readonly extra?: string;
}

export function findMosquitto(): Found<MosquittoInstall> | Missing {
  const cure = "sudo apt-get install mosquitto";
  const command = findProgram("mosquitto");
  if (command === undefined) return { found: false, reason: "no program mosquitto", cure };
  // It has no option for its version alone, and its help ends with 3.
  const version = /^mosquitto version [0-9.]+/m.exec(
    answerOf("/bin/sh", ["-c", '"$1" -h || true', "sh", command]) ?? "",
  )?.[0];
  if (version === undefined) return { found: false, reason: `${command} does not run`, cure };
  return { found: true, version, where: command, install: { command } };
}

/** A broker that keeps on disk whatever changes, and drops nothing of what it keeps for those who are away. */
export async function startMosquitto(
  install: MosquittoInstall,
  options: MosquittoOptions = {},
): Promise<LaunchedServer> {
  const directory = await mkdtemp(join(tmpdir(), "trestle-mosquitto-"));
  const port = await freePort();
  const configFile = join(directory, "mosquitto.conf");
  const config = `
listener ${port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location ${directory}/
autosave_on_changes true
autosave_interval 1
max_queued_messages 0
log_dest stderr
${process.getuid?.() === 0 ? "user root" : ""}
${options.extra ?? ""}
`;
  return LaunchedServer.launch(
    { name: "mosquitto", command: install.command, args: ["-c", configFile], configFile, config },
    directory,
    port,
  );
}
