import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { checkTogether, readRegistration } from "../appservice/registration-read.js";
import type { NamedRegistration } from "../appservice/registration-read.js";
import type { Registration } from "../appservice/registration.js";
import { checkConfig } from "./check.js";
import { fileErrorText } from "./error-text.js";
import { ConfigError, RegistrationError } from "./problem.js";
import type { Problem, ProblemPath } from "./problem.js";
import { configSchema } from "./schema.js";
import type { Config, ConfigInput } from "./schema.js";
import { substitute } from "./substitute.js";
import type { Fault } from "./substitute.js";
import { validate } from "./validate.js";
import { readYaml } from "./yaml-source.js";

/** A valid configuration. The paths in `config` are absolute. */
export interface ConfigFile {
  readonly config: Config;
  /** The configuration file, absolute. */
  readonly path: string;
  /** The directory of the file: relative paths in it begin here. */
  readonly directory: string;
  readonly warnings: readonly Problem[];
  /** The line (from 1) of a key, where the configuration came from a file. */
  locate(path: ProblemPath): number | undefined;
  /** Paths (JSON) of values from the environment or from secret files; they are never printed. */
  readonly foreign: ReadonlySet<string>;
}

/** A valid configuration with its valid registrations. */
export interface LoadedConfig extends ConfigFile {
  /** By the name of the bridge: one for each. */
  readonly registrations: ReadonlyMap<string, Registration>;
}

/** How a configuration is read. */
export interface LoadOptions {
  /** Where `${NAME}` is looked up; `process.env` where absent. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads a configuration and the registrations it names.
 *
 * @throws ConfigError, RegistrationError with everything that is wrong
 */
export async function loadConfig(path: string, options: LoadOptions = {}): Promise<LoadedConfig> {
  return loadRegistrations(await readConfig(path, options));
}

/**
 * Reads a configuration without its registrations.
 *
 * @throws ConfigError with everything that is wrong
 */
export async function readConfig(path: string, options: LoadOptions = {}): Promise<ConfigFile> {
  const file = resolve(path);
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    const message = `cannot read the configuration: ${fileErrorText(error)}; make one with: trestle init`;
    throw new ConfigError([{ severity: "error", file: path, path: [], message }]);
  });
  return parseConfig(text, path, options);
}

/**
 * Reads the text of a configuration; `path` is where it came from.
 *
 * @throws ConfigError with everything that is wrong
 */
export function parseConfig(text: string, path: string, options: LoadOptions = {}): ConfigFile {
  const yaml = readYaml(text, path);
  if (!yaml.ok) throw new ConfigError([yaml.problem]);
  const { source } = yaml;
  if (source.value === undefined || source.value === null) {
    throw new ConfigError([
      { severity: "error", file: path, path: [], message: "the file is empty; make one with: trestle init --force" },
    ]);
  }
  const directory = dirname(resolve(path));
  const values = substitute(source.value, { environment: options.environment ?? process.env, directory });
  const validated = validate(configSchema, values.value, values.foreign);
  const place =
    (severity: Problem["severity"]) =>
    (fault: Fault): Problem => {
      const line = source.locate(fault.path) ?? source.locate(withFileKey(fault.path));
      return { ...fault, severity, file: path, ...(line !== undefined && { line }) };
    };
  const faults = [...values.faults, ...(validated.ok ? [] : withoutRepeats(validated.faults, values.faults))];
  if (!validated.ok || faults.length > 0) throw new ConfigError(faults.map(place("error")));
  const remarks = checkConfig(validated.value);
  const wrong = remarks.filter((each) => each.severity === "error");
  if (wrong.length > 0) throw new ConfigError(wrong.map(place("error")));
  return {
    config: resolvePaths(validated.value, directory),
    path: resolve(path),
    directory,
    warnings: remarks.map(place("warning")),
    locate: (at) => source.locate(at),
    foreign: values.foreign,
  };
}

/** A value that could not be had is said once, not again as "too short". */
function withoutRepeats(faults: readonly Fault[], said: readonly Fault[]): readonly Fault[] {
  const paths = new Set(said.map((fault) => JSON.stringify(withoutFileKey(fault.path))));
  return faults.filter((fault) => !paths.has(JSON.stringify(fault.path)));
}

function withoutFileKey(path: ProblemPath): ProblemPath {
  const last = path.at(-1);
  return typeof last === "string" ? [...path.slice(0, -1), last.replace(/_FILE$/, "")] : path;
}

function withFileKey(path: ProblemPath): ProblemPath {
  const last = path.at(-1);
  return typeof last === "string" ? [...path.slice(0, -1), `${last}_FILE`] : path;
}

function resolvePaths(config: Config, directory: string): Config {
  return {
    ...config,
    dataDirectory: resolve(directory, config.dataDirectory),
    bridges: config.bridges.map((bridge) => ({
      ...bridge,
      registration: resolve(directory, bridge.registration),
      connector: /^\.{1,2}\//.test(bridge.connector) ? resolve(directory, bridge.connector) : bridge.connector,
    })),
  };
}

/**
 * Reads the registrations that a configuration names.
 *
 * @throws RegistrationError with everything that is wrong in any of them
 */
export async function loadRegistrations(file: ConfigFile): Promise<LoadedConfig> {
  const read = await Promise.all(
    file.config.bridges.map(async (bridge) => ({
      bridge,
      reading: await readRegistration(bridge.registration, file.config.homeserver.name),
    })),
  );
  const problems = read.flatMap(({ reading }) => reading.problems);
  const named = read.flatMap(({ bridge, reading }): NamedRegistration[] =>
    reading.registration === undefined
      ? []
      : [{ name: bridge.name, file: bridge.registration, registration: reading.registration }],
  );
  const all = [...problems, ...checkTogether(named)];
  if (all.some((each) => each.severity === "error")) throw new RegistrationError(all);
  return { ...file, warnings: [...file.warnings, ...all], registrations: registrationsOf(named) };
}

function registrationsOf(named: readonly NamedRegistration[]): ReadonlyMap<string, Registration> {
  return new Map(named.map((each) => [each.name, each.registration]));
}

/**
 * A configuration made by a program instead of a file: `input` is validated the same way.
 *
 * @throws ConfigError with everything that is wrong
 */
export function composeConfig(
  input: ConfigInput,
  registrations: ReadonlyMap<string, Registration>,
  directory: string,
): LoadedConfig {
  const file = "(configuration)";
  const validated = validate(configSchema, input);
  const faults = validated.ok
    ? checkConfig(validated.value).filter((each) => each.severity === "error")
    : validated.faults;
  if (!validated.ok || faults.length > 0) {
    throw new ConfigError(faults.map((fault) => ({ ...fault, severity: "error" as const, file })));
  }
  const config = resolvePaths(validated.value, directory);
  const missing = config.bridges.filter((bridge) => !registrations.has(bridge.name));
  if (missing.length > 0)
    throw new RangeError(`no registration for ${missing.map((bridge) => bridge.name).join(", ")}`);
  return { config, path: file, directory, warnings: [], locate: () => undefined, foreign: new Set(), registrations };
}
