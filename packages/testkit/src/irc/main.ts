import { parseArgs } from "node:util";
import { createControl } from "./control.js";
import { CAPABILITIES, type Capability } from "./capabilities/catalogue.js";
import type { IrcServerOptions } from "./options.js";
import { IrcServer } from "./server.js";

const USAGE = `usage: main.js [--port N] [--control-port N] [--without CAPABILITY]... [--account NAME:PASSWORD]... [--operator NAME:PASSWORD]...
  [--password PASSWORD] [--services] [--utf8-only] [--flood] [--name NAME]

Runs the IRC server in a process of its own, on 127.0.0.1. Prints one line of JSON: {"port": N, "controlPort": N}.
POST /_testkit/<fault> on the control port switches faults; SIGTERM, SIGINT or the end of standard input with
--with-parent end it.`;

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    "control-port": { type: "string", default: "0" },
    name: { type: "string" },
    without: { type: "string", multiple: true, default: [] },
    account: { type: "string", multiple: true, default: [] },
    operator: { type: "string", multiple: true, default: [] },
    password: { type: "string" },
    services: { type: "boolean", default: false },
    "utf8-only": { type: "boolean", default: false },
    flood: { type: "boolean", default: false },
    "with-parent": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (values.help) process.stdout.write(`${USAGE}\n`);
else await run();

async function run(): Promise<void> {
  const irc = await IrcServer.start(serverOptions());
  const control = createControl(irc);
  await new Promise<void>((resolve, reject) => {
    control.once("error", reject);
    control.listen(portNumber("control-port", values["control-port"]), "127.0.0.1", resolve);
  });
  const address = control.address();
  const controlPort = address !== null && typeof address === "object" ? address.port : 0;
  const stop = (): void => {
    control.close();
    control.closeAllConnections();
    process.stdin.pause();
    void irc.stop();
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  if (values["with-parent"]) process.stdin.resume().once("end", stop);
  process.stdout.write(`${JSON.stringify({ port: irc.port, controlPort })}\n`);
}

function serverOptions(): IrcServerOptions {
  return {
    port: portNumber("port", values.port),
    accounts: passwords("account", values.account),
    operators: passwords("operator", values.operator),
    services: values.services,
    utf8Only: values["utf8-only"],
    without: values.without.map(capability),
    ...(values.password === undefined ? {} : { password: values.password }),
    ...(values.name === undefined ? {} : { name: values.name }),
    ...(values.flood ? { flood: {} } : {}),
  };
}

function passwords(option: string, pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair): [string, string] => {
      const colon = pair.indexOf(":");
      if (colon < 1) throw new Error(`--${option} ${pair}: expected NAME:PASSWORD`);
      return [pair.slice(0, colon), pair.slice(colon + 1)];
    }),
  );
}

function capability(name: string): Capability {
  const known = CAPABILITIES.find((one) => one === name);
  if (known === undefined) throw new Error(`--without ${name}: expected one of ${CAPABILITIES.join(", ")}`);
  return known;
}

function portNumber(option: string, value: string): number {
  const port = Number(value);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error(`--${option} ${value}: expected 0 to 65535`);
  return port;
}
