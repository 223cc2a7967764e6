import { randomBytes } from "node:crypto";
import { basename, dirname, join, resolve } from "node:path";
import {
  composeConfig,
  formatRegistration,
  generateRegistration,
  loadConnector,
  parseNetworkConfig,
  parseRegistration,
  RegistrationError,
  renderConfig,
} from "@trestle/core";
import type { ConfigInput, ConnectorSection, Registration, RegistrationDocument } from "@trestle/core";
import { exampleOf, sectionOf } from "../connectors.js";
import { homeserverSteps } from "./homeserver-steps.js";

/** What the wizard asks or the flags give. */
export interface InitAnswers {
  /** Where trestle.yaml is to be; the other files go beside it. */
  readonly config: string;
  readonly homeserverUrl: string;
  readonly serverName: string;
  /** Where the homeserver reaches Trestle. */
  readonly url: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly admins: readonly string[];
  readonly bridges: readonly BridgeAnswers[];
}

export interface BridgeAnswers {
  readonly name: string;
  readonly connector: string;
  /** What ghosts' user ids begin with. */
  readonly prefix: string;
  readonly botLocalpart: string;
  /** The connector's settings; its example where absent. */
  readonly network?: Readonly<Record<string, unknown>>;
}

export interface PlannedFile {
  /** Absolute. */
  readonly path: string;
  readonly content: string;
  readonly mode: number;
  /** An existing one is never replaced, not even when asked to: data would become unreadable. */
  readonly keep?: boolean;
}

export interface InitPlan {
  readonly files: readonly PlannedFile[];
  readonly registrations: readonly string[];
}

const keyFile = "encryption.key";

/**
 * The files that `init` writes, validated as they will be when they are read.
 *
 * @param existing registrations that are there already: their tokens and foreign keys are kept
 * @throws ConfigError, RegistrationError where an answer cannot be used
 */
export async function planInit(
  answers: InitAnswers,
  existing: ReadonlyMap<string, RegistrationDocument>,
): Promise<InitPlan> {
  const path = resolve(answers.config);
  const directory = dirname(path);
  const sections: ConnectorSection[] = [];
  const registrations = new Map<string, Registration>();
  const files: PlannedFile[] = [];
  for (const bridge of answers.bridges) {
    const connector = await loadConnector(bridge.connector, directory);
    sections.push(sectionOf(bridge.connector, connector));
    const file = registrationPath(directory, bridge.name);
    const document = existing.get(file);
    const content = registrationText(answers, bridge, connector.network, file, document);
    registrations.set(bridge.name, parsed(content, file, answers.serverName));
    files.push({ path: file, content, mode: 0o600 });
  }
  const input = configInput(answers);
  const loaded = composeConfig(input, registrations, directory);
  for (const bridge of answers.bridges) {
    parseNetworkConfig(loaded, bridge.name, await loadConnector(bridge.connector, directory));
  }
  const text = renderConfig({
    values: { ...input, encryptionKey_FILE: `./${keyFile}` },
    connectors: sections,
    brief: true,
  });
  return {
    files: [
      { path, content: configHead + text, mode: 0o600 },
      ...files,
      { path: join(directory, keyFile), content: `${randomBytes(32).toString("hex")}\n`, mode: 0o600, keep: true },
    ],
    registrations: files.map((file) => file.path),
  };
}

const configHead = `# Made by trestle init. All keys: docs/trestle.sample.yaml and docs/configuration.md; validate with: trestle check

`;

export function registrationPath(directory: string, bridge: string): string {
  return join(directory, `registration-${bridge}.yaml`);
}

function configInput(answers: InitAnswers): ConfigInput {
  const { host, port } = answers.listen;
  const admins = answers.admins.map((admin): [string, "admin"] => [admin, "admin"]);
  return {
    homeserver: { url: answers.homeserverUrl, name: answers.serverName },
    listen: { host, port },
    permissions: { "*": "relay", [answers.serverName]: "user", ...Object.fromEntries(admins) },
    bridges: answers.bridges.map(({ name, connector, network }) => ({
      name,
      connector,
      registration: `./${basename(registrationPath(".", name))}`,
      network: network ?? exampleOf(connector),
    })),
  };
}

function registrationText(
  answers: InitAnswers,
  bridge: BridgeAnswers,
  protocol: string,
  path: string,
  existing: RegistrationDocument | undefined,
): string {
  const document = generateRegistration({
    id: existing?.id ?? `trestle-${bridge.name}`,
    url: answers.url,
    serverName: answers.serverName,
    prefix: bridge.prefix,
    botLocalpart: bridge.botLocalpart,
    protocols: [protocol],
    ...(existing !== undefined && { existing }),
  });
  return formatRegistration(document, registrationComment(path, answers.serverName));
}

/** What stands at the top of a registration that the command line wrote. */
export function registrationComment(path: string, serverName: string): string {
  return [
    "A registration of Trestle: the homeserver and Trestle both read this file. It holds secrets.",
    "",
    ...homeserverSteps([{ path: `/path/to/${basename(path)}`, serverName }]),
  ].join("\n");
}

function parsed(text: string, file: string, serverName: string): Registration {
  const { registration, problems } = parseRegistration(text, file, serverName);
  if (registration === undefined) throw new RegistrationError(problems);
  return registration;
}
