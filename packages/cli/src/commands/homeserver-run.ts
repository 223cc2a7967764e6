import { readFile } from "node:fs/promises";
import { ControlServer, Homeserver } from "@trestle/testkit";
import type { ProfileName } from "@trestle/testkit";
import { load } from "js-yaml";
import pc from "picocolors";
import { CliError } from "../failure.js";
import { Output } from "../output.js";

export interface HomeserverCommandOptions {
  readonly port: number;
  readonly serverName: string;
  readonly profile: ProfileName;
  readonly registration: readonly string[];
  readonly user: readonly string[];
  readonly controlPort?: number;
  readonly json?: boolean;
}

interface Person {
  readonly name: string;
  readonly password: string;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Runs the homeserver until a signal asks it to stop; then everything it knew is gone. */
export async function runHomeserver(options: HomeserverCommandOptions): Promise<void> {
  const users = options.user.map(parseUser);
  let ask = (): void => undefined;
  const asked = new Promise<void>((resolve) => (ask = resolve));
  for (const signal of SIGNALS) process.once(signal, ask);
  const homeserver = await start(options);
  const control = options.controlPort === undefined ? undefined : new ControlServer(homeserver);
  try {
    const services = await addRegistrations(homeserver, options.registration);
    for (const { name, password } of users) homeserver.createUser(name, password);
    const controlUrl = await control?.listen(options.controlPort);
    say(new Output(options.json ?? false), homeserver, options, { users, services, controlUrl });
    await asked;
  } finally {
    for (const signal of SIGNALS) process.off(signal, ask);
    await control?.close();
    await homeserver.stop();
  }
}

async function start({ port, serverName, profile }: HomeserverCommandOptions): Promise<Homeserver> {
  try {
    return await Homeserver.start({ port, serverName, profile, validate: false });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EADDRINUSE") {
      throw new CliError("portInUse", `Port ${port} of 127.0.0.1 is taken. Choose another with --port, or 0 for any.`);
    }
    throw error;
  }
}

/** @returns the ids of the application services */
async function addRegistrations(homeserver: Homeserver, files: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const file of files) {
    try {
      ids.push(homeserver.addAppService(load(await readFile(file, "utf8"))).id);
    } catch (error) {
      throw new CliError("registration", `${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return ids;
}

function parseUser(text: string): Person {
  const [name = "", ...password] = text.split(":");
  if (name === "" || password.length === 0) throw new CliError("usage", `--user ${text}: expected name:password`);
  return { name, password: password.join(":") };
}

interface Started {
  readonly users: readonly Person[];
  readonly services: readonly string[];
  readonly controlUrl: string | undefined;
}

function say(output: Output, homeserver: Homeserver, options: HomeserverCommandOptions, started: Started): void {
  const { url, serverName } = homeserver;
  const { users, services, controlUrl } = started;
  const result = {
    url,
    serverName,
    profile: options.profile,
    applicationServices: services,
    users: users.map(({ name }) => `@${name}:${serverName}`),
    ...(controlUrl === undefined ? {} : { controlUrl }),
  };
  output.result(result, () => {
    output.line(`${pc.bold("Matrix homeserver")} ${pc.cyan(url)} for ${serverName}, behaving as ${options.profile}.`);
    output.line("Its state is in memory: it forgets everything when it ends. Ctrl-C ends it.");
    output.line();
    for (const { name, password } of users) output.line(`  user      ${name}   password ${password}`);
    for (const id of services) output.line(`  service   ${id}`);
    output.line("  register  with any client that lets you name the homeserver, or:");
    output.line(`            curl -X POST ${url}/_matrix/client/v3/register -d '${registerBody()}'`);
    output.line(`  attach    a client (Element, nheko, gomuks, …): homeserver ${url}, log in with user and password`);
    if (services.length === 0) {
      output.line("  bridge    --registration <file> makes it push to an application service");
    }
    if (controlUrl !== undefined) {
      output.line(`  faults    curl ${controlUrl}/faults -d '{"duplicateTransactions": 1}'   ({} shows all switches)`);
    }
  });
}

function registerBody(): string {
  return JSON.stringify({ username: "me", password: "secret", auth: { type: "m.login.dummy" } });
}
