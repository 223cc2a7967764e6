import { execFile } from "node:child_process";
import { chown, mkdtemp, rm } from "node:fs/promises";
import { readdirSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort, patiently, until } from "../bounded.js";
import { answerOf, findProgram, isExecutable, type Found, type Missing } from "./found.js";
import { LaunchedServer } from "./launched-server.js";

export interface PostgresqlInstall {
  readonly postgres: string;
  readonly initdb: string;
  /** Who runs it, where this process is root: PostgreSQL refuses that. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}

const run = promisify(execFile);
const debianHome = "/usr/lib/postgresql";

export function findPostgresql(): Found<PostgresqlInstall> | Missing {
  const cure = "sudo apt-get install postgresql";
  const postgres = program("postgres");
  const initdb = program("initdb");
  if (postgres === undefined || initdb === undefined)
    return { found: false, reason: "no programs postgres and initdb", cure };
  const version = answerOf(postgres, ["--version"]);
  if (version === undefined) return { found: false, reason: `${postgres} does not run`, cure };
  const user = userInfo().uid === 0 ? ordinaryUser() : undefined;
  if (userInfo().uid === 0 && (user === undefined || findProgram("setpriv") === undefined))
    return { found: false, reason: "no user postgres, or no program setpriv to become it", cure };
  return { found: true, version, where: postgres, install: { postgres, initdb, user } };
}

/** An empty server on a loopback port with the superuser `trestle`, who needs no password. */
export async function startPostgresql(
  install: PostgresqlInstall,
): Promise<{ readonly server: LaunchedServer; readonly url: string }> {
  const directory = await mkdtemp(join(tmpdir(), "trestle-postgresql-"));
  try {
    if (install.user) await chown(directory, install.user.uid, install.user.gid);
    const data = join(directory, "data");
    const made = as(install, [install.initdb, "-D", data, "-U", "trestle", "-A", "trust", "-E", "UTF8", "--no-sync"]);
    await run(made.command, [...made.args, "--locale=C"], { cwd: directory, timeout: patiently(60_000) });
    const port = await freePort();
    const { command, args } = as(install, [install.postgres, "-D", data]);
    const config = `
listen_addresses = '127.0.0.1'
port = ${port}
unix_socket_directories = ''
fsync = off
`;
    const configFile = join(data, "postgresql.conf");
    const server = await LaunchedServer.launch(
      { name: "postgresql", command, args, configFile, config },
      directory,
      port,
    );
    // It refuses everybody for a moment, while it takes connections already.
    await until(
      15_000,
      "postgresql to be ready",
      () => (/ready to accept connections/.test(server.output) ? true : undefined),
      () => server.output,
    );
    return { server, url: `postgres://trestle@127.0.0.1:${port}/postgres` };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

function as(
  { user }: PostgresqlInstall,
  [command = "", ...args]: readonly string[],
): { readonly command: string; readonly args: readonly string[] } {
  if (!user) return { command, args };
  const become = [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"];
  return { command: findProgram("setpriv") ?? "setpriv", args: [...become, command, ...args] };
}

function program(name: string): string | undefined {
  return (
    findProgram(name) ??
    versions()
      .map((each) => join(debianHome, each, "bin", name))
      .find(isExecutable)
  );
}

/** The newest first. */
function versions(): string[] {
  try {
    return readdirSync(debianHome).sort((a, b) => Number(b) - Number(a));
  } catch {
    return [];
  }
}

function ordinaryUser(): PostgresqlInstall["user"] {
  const [uid, gid] = ["-u", "-g"].map((which) => Number(answerOf("/usr/bin/id", [which, "postgres"]) ?? Number.NaN));
  return uid !== undefined && gid !== undefined && Number.isInteger(uid) && Number.isInteger(gid)
    ? { uid, gid }
    : undefined;
}
