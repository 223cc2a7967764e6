import { dirname, resolve } from "node:path";
import { load } from "js-yaml";
import type { RegistrationDocument } from "@trestle/core";
import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import pc from "picocolors";
import { CliError } from "../failure.js";
import { existingRegistration } from "../init/existing.js";
import { homeserverSteps } from "../init/homeserver-steps.js";
import { planInit, registrationPath } from "../init/plan.js";
import type { BridgeAnswers, InitAnswers } from "../init/plan.js";
import type { GivenAnswers } from "../init/questions.js";
import { writeFiles } from "../init/write-files.js";
import { withCommonOptions } from "../options.js";
import type { CommonOptions } from "../options.js";
import { Output } from "../output.js";

interface InitOptions extends CommonOptions {
  readonly homeserverUrl?: string;
  readonly serverName?: string;
  readonly url?: string;
  readonly listen?: InitAnswers["listen"];
  readonly admin?: readonly string[];
  readonly bridge?: readonly BridgeAnswers[];
  readonly network?: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly yes?: boolean;
  readonly force?: boolean;
}

export function addInit(program: Command): void {
  withCommonOptions(
    program
      .command("init")
      .description("write a configuration and the registrations, and say what to do on the homeserver"),
  )
    .option("--homeserver-url <url>", "where Trestle reaches the homeserver, e.g. http://localhost:8008")
    .option("--server-name <name>", "the homeserver's name, e.g. example.org")
    .option("--url <url>", "where the homeserver reaches Trestle (default: http://localhost and the port)")
    .addOption(
      new Option("--listen <host:port>", "where Trestle listens (default: 127.0.0.1:9993)").argParser(parseListen),
    )
    .option("--admin <user>", "a user id who may link rooms (repeatable)", collect)
    .addOption(
      new Option("--bridge <name[=connector]>", "a bridge (repeatable; default: irc)").argParser(collectBridge),
    )
    .addOption(
      new Option("--network <bridge=yaml>", "the network section of a bridge, as YAML (repeatable)").argParser(
        collectNetwork,
      ),
    )
    .option("-y, --yes", "ask nothing; take what is given and the defaults")
    .option("--force", "replace files that exist (tokens and the encryption key are kept)")
    .action(init);
}

async function init(options: InitOptions): Promise<void> {
  const answers = await answersOf(options);
  const existing = await existingRegistrations(answers);
  const plan = await planInit(answers, existing);
  const written = await writeFiles(plan.files, options.force ?? false);
  const output = new Output(options.json ?? false);
  output.result({ written, registrations: plan.registrations }, () => {
    for (const path of written) output.line(`${pc.green("✓")} wrote ${path}`);
    output.line();
    output.line(pc.bold("Now tell the homeserver about the registrations"));
    output.line();
    const files = plan.registrations.map((path) => ({ path, serverName: answers.serverName }));
    for (const line of homeserverSteps(files)) output.line(line);
    output.line();
    output.line(pc.bold("Then"));
    output.line(`  npx trestle doctor --config ${options.config}    says whether everything fits`);
    output.line(`  npx trestle run --config ${options.config}       starts the bridge`);
  });
}

async function answersOf(options: InitOptions): Promise<InitAnswers> {
  const given: GivenAnswers = {
    config: options.config,
    homeserverUrl: options.homeserverUrl,
    serverName: options.serverName,
    url: options.url,
    listen: options.listen,
    admins: options.admin,
    bridges: bridgesOf(options),
  };
  if (options.yes !== true && process.stdin.isTTY && options.json !== true) {
    const { askQuestions } = await import("../init/questions.js");
    return askQuestions(given);
  }
  const { homeserverUrl, serverName } = given;
  if (homeserverUrl === undefined || serverName === undefined) {
    throw new CliError("usage", "Without a terminal (or with --yes) give at least --homeserver-url and --server-name.");
  }
  const listen = given.listen ?? { host: "127.0.0.1", port: 9993 };
  return {
    config: options.config,
    homeserverUrl,
    serverName,
    listen,
    url: given.url ?? `http://localhost:${listen.port}`,
    admins: given.admins ?? [],
    bridges: given.bridges ?? [bridgeAnswers("irc", "irc")],
  };
}

function bridgesOf({ bridge, network }: InitOptions): readonly BridgeAnswers[] | undefined {
  if (network === undefined) return bridge;
  const bridges = bridge ?? [...network.keys()].map((name) => bridgeAnswers(name, name));
  const unknown = [...network.keys()].find((name) => !bridges.some((each) => each.name === name));
  if (unknown !== undefined)
    throw new CliError("usage", `--network names the bridge ${unknown}, but there is no --bridge ${unknown}.`);
  return bridges.map((each) => {
    const section = network.get(each.name);
    return section === undefined ? each : { ...each, network: section };
  });
}

async function existingRegistrations(answers: InitAnswers): Promise<ReadonlyMap<string, RegistrationDocument>> {
  const directory = dirname(resolve(answers.config));
  const found = new Map<string, RegistrationDocument>();
  for (const { name } of answers.bridges) {
    const path = registrationPath(directory, name);
    const document = await existingRegistration(path, answers.serverName);
    if (document !== undefined) found.set(path, document);
  }
  return found;
}

function bridgeAnswers(name: string, connector: string): BridgeAnswers {
  const word = name.replaceAll("-", "_");
  return { name, connector, prefix: `${word}_`, botLocalpart: `${word}bot` };
}

function parseListen(text: string): InitAnswers["listen"] {
  const match = /^(?:(.+):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65535) throw new InvalidArgumentError("Expected host:port, such as 127.0.0.1:9993.");
  return { host: (match[1] ?? "127.0.0.1").replace(/^\[(.*)\]$/, "$1"), port };
}

function collect(text: string, earlier: readonly string[] | undefined): readonly string[] {
  return [...(earlier ?? []), text];
}

function collectBridge(text: string, earlier: readonly BridgeAnswers[] | undefined): readonly BridgeAnswers[] {
  const [name = "", connector = name] = text.split("=", 2);
  return [...(earlier ?? []), bridgeAnswers(name, connector)];
}

type Sections = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

function collectNetwork(text: string, earlier: Sections | undefined): Sections {
  const at = text.indexOf("=");
  const section = at > 0 ? parseYaml(text.slice(at + 1)) : undefined;
  if (typeof section !== "object" || section === null || Array.isArray(section)) {
    throw new InvalidArgumentError(
      "Expected a bridge, = and YAML, such as 'irc={networks: [{name: libera, host: irc.libera.chat}]}'.",
    );
  }
  return new Map([...(earlier ?? []), [text.slice(0, at), Object.fromEntries(Object.entries(section))]]);
}

function parseYaml(text: string): unknown {
  try {
    return load(text);
  } catch (error) {
    throw new InvalidArgumentError(
      `That is not YAML: ${error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error)}`,
    );
  }
}
