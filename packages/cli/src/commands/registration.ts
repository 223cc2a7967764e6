import { resolve } from "node:path";
import {
  checkTogether,
  formatProblem,
  formatRegistration,
  generateDoublePuppetRegistration,
  generateRegistration,
  loadConnector,
  parseRegistration,
  readConfig,
  readRegistration,
  RegistrationError,
} from "@trestle/core";
import type { BridgeConfig, Config, ConfigFile, NamedRegistration, Problem, RegistrationDocument } from "@trestle/core";
import type { Command } from "commander";
import pc from "picocolors";
import { CliError } from "../failure.js";
import { existingRegistration } from "../init/existing.js";
import { homeserverSteps } from "../init/homeserver-steps.js";
import { registrationComment } from "../init/plan.js";
import { exists, writeFiles } from "../init/write-files.js";
import { withCommonOptions } from "../options.js";
import type { CommonOptions } from "../options.js";
import { Output } from "../output.js";

export function addRegistration(program: Command): void {
  const registration = program.command("registration").description("make, show or check registrations");
  addGenerate(registration);
  addDoublePuppet(registration);
  addShow(registration);
  addCheckFiles(registration);
}

interface GenerateOptions extends CommonOptions {
  readonly id?: string;
  readonly url?: string;
  readonly prefix?: string;
  readonly bot?: string;
  readonly newTokens?: boolean;
  readonly stdout?: boolean;
  readonly force?: boolean;
}

function addGenerate(registration: Command): void {
  withCommonOptions(
    registration
      .command("generate")
      .description("write the registration of a bridge of the configuration; an existing one keeps its tokens")
      .argument("[bridge]", "the bridge's name; needed where there are several"),
  )
    .option("--id <id>", "the registration's id (default: trestle-<bridge>)")
    .option("--url <url>", "where the homeserver reaches Trestle (default: http://localhost and listen.port)")
    .option("--prefix <prefix>", "what ghosts' user ids begin with (default: <bridge>_)")
    .option("--bot <localpart>", "the bot's localpart (default: <bridge>bot)")
    .option("--new-tokens", "make new tokens also where there are some")
    .option("--stdout", "print it instead of writing the file")
    .option("--force", "replace the file where it exists")
    .action(generate);
}

async function generate(name: string | undefined, options: GenerateOptions): Promise<void> {
  const file = await readConfig(options.config);
  const bridge = bridgeNamed(file, name);
  const serverName = file.config.homeserver.name;
  const existing = await existingRegistration(bridge.registration, serverName);
  const document = await documentOf(file, bridge, options, existing);
  const text = formatRegistration(document, registrationComment(bridge.registration, serverName));
  const { registration, problems } = parseRegistration(text, bridge.registration, serverName);
  if (registration === undefined) throw new RegistrationError(problems);
  const output = new Output(options.json ?? false);
  if (options.stdout === true) {
    process.stdout.write(options.json === true ? `${JSON.stringify(document, null, 2)}\n` : text);
    return;
  }
  await writeFiles([{ path: bridge.registration, content: text, mode: 0o600 }], options.force ?? false);
  output.result({ written: [bridge.registration] }, () => {
    output.line(`${pc.green("✓")} wrote ${bridge.registration}`);
    output.line();
    for (const line of homeserverSteps([{ path: bridge.registration, serverName }])) output.line(line);
  });
}

function addDoublePuppet(registration: Command): void {
  withCommonOptions(
    registration
      .command("double-puppet")
      .description("write the registration with which people who signed in on a network speak as themselves in Matrix")
      .argument("[file]", "where to write it", "double-puppet.yaml"),
  )
    .option("--force", "replace the file where it exists")
    .action(async (name: string, options: CommonOptions & { readonly force?: boolean }) => {
      const { config, directory } = await readConfig(options.config);
      const path = resolve(directory, name);
      const serverName = config.homeserver.name;
      const document = generateDoublePuppetRegistration(serverName);
      const comment = `Lets Trestle speak for users of ${serverName} who signed in on a network.\nKeep it secret.`;
      const content = formatRegistration(document, comment);
      await writeFiles([{ path, content, mode: 0o600 }], options.force ?? false);
      const output = new Output(options.json ?? false);
      output.result({ written: [path] }, () => {
        output.line(`${pc.green("✓")} wrote ${path}`);
        output.line();
        for (const line of homeserverSteps([{ path, serverName }])) output.line(line);
        output.line();
        output.line("Then put its token into the configuration, and restart Trestle:");
        output.line(`  homeserver:\n    doublePuppetToken: ${document.as_token}`);
      });
    });
}

async function documentOf(
  { config, directory }: ConfigFile,
  bridge: BridgeConfig,
  options: GenerateOptions,
  existing: RegistrationDocument | undefined,
): Promise<RegistrationDocument> {
  const connector = await loadConnector(bridge.connector, directory);
  const word = bridge.name.replaceAll("-", "_");
  return generateRegistration({
    id: options.id ?? existing?.id ?? `trestle-${bridge.name}`,
    url: options.url ?? existing?.url ?? defaultUrl(config),
    serverName: config.homeserver.name,
    prefix: options.prefix ?? existingPrefix(existing) ?? `${word}_`,
    botLocalpart: options.bot ?? existing?.sender_localpart ?? `${word}bot`,
    protocols: [connector.network],
    ...(existing !== undefined && { existing }),
    newTokens: options.newTokens ?? false,
  });
}

function existingPrefix(existing: RegistrationDocument | undefined): string | undefined {
  return existing?.["trestle.ghost_prefix"];
}

function defaultUrl({ listen: { host, port } }: Config): string {
  const name = ["127.0.0.1", "0.0.0.0", "::", "::1", "localhost"].includes(host) ? "localhost" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}

function bridgeNamed(file: ConfigFile, name: string | undefined): BridgeConfig {
  const { bridges } = file.config;
  const names = bridges.map((bridge) => bridge.name).join(", ");
  const found =
    name === undefined && bridges.length === 1 ? bridges[0] : bridges.find((bridge) => bridge.name === name);
  if (found !== undefined) return found;
  throw new CliError(
    "usage",
    name === undefined
      ? `Say which bridge: ${names}.`
      : `There is no bridge ${name} in ${file.path}; there are: ${names}.`,
  );
}

function addShow(registration: Command): void {
  withCommonOptions(
    registration
      .command("show")
      .description("print the registration of a bridge, without its secrets")
      .argument("[bridge]", "the bridge's name; needed where there are several"),
  )
    .option("--secrets", "print the tokens as well")
    .action(async (name: string | undefined, options: CommonOptions & { readonly secrets?: boolean }) => {
      const file = await readConfig(options.config);
      const bridge = bridgeNamed(file, name);
      const { registration: found, problems } = await readRegistration(
        bridge.registration,
        file.config.homeserver.name,
      );
      if (found === undefined) throw new RegistrationError(problems);
      const shown: RegistrationDocument =
        options.secrets === true ? found.document : { ...found.document, as_token: "(hidden)", hs_token: "(hidden)" };
      const output = new Output(options.json ?? false);
      output.result(shown, () => output.line(formatRegistration(shown, bridge.registration).trimEnd()));
    });
}

interface CheckOptions extends CommonOptions {
  readonly serverName?: string;
}

function addCheckFiles(registration: Command): void {
  withCommonOptions(
    registration
      .command("check")
      .description("check registration files, by default those of the configuration")
      .argument("[files...]", "registration files"),
  )
    .option("--server-name <name>", "the homeserver's name (default: that of the configuration)")
    .action(checkFiles);
}

async function checkFiles(files: readonly string[], options: CheckOptions): Promise<void> {
  const needsConfig = files.length === 0 || options.serverName === undefined;
  const config = needsConfig ? await configFor(files, options) : undefined;
  const serverName = options.serverName ?? config?.homeserver.name ?? "";
  const paths =
    files.length > 0
      ? files.map((file) => resolve(file))
      : (config?.bridges ?? []).map((bridge) => bridge.registration);
  const problems: Problem[] = [];
  const named: NamedRegistration[] = [];
  for (const path of paths) {
    const reading = await readRegistration(path, serverName);
    problems.push(...reading.problems);
    if (reading.registration !== undefined)
      named.push({ name: reading.registration.id, file: path, registration: reading.registration });
  }
  problems.push(...checkTogether(named));
  if (problems.some((problem) => problem.severity === "error")) throw new RegistrationError(problems);
  const output = new Output(options.json ?? false);
  output.result({ ok: true, files: paths, warnings: problems }, () => {
    for (const problem of problems) output.line(`${pc.yellow("!")} ${formatProblem(problem)}`);
    for (const path of paths) output.line(`${pc.green("✓")} ${path} is valid for ${serverName}.`);
  });
}

async function configFor(files: readonly string[], options: CheckOptions): Promise<Config> {
  if (files.length > 0 && !(await exists(options.config))) {
    throw new CliError(
      "usage",
      `Without a configuration (${options.config}) give the homeserver's name with --server-name.`,
    );
  }
  return (await readConfig(options.config)).config;
}
