import { dump } from "js-yaml";
import { configOptions, connectorOptions } from "./options.js";
import type { ConfigOption } from "./options.js";
import type { ConnectorSection } from "./json-schema.js";

/** What a commented configuration is made of. */
export interface SampleOptions {
  /** Settings that are written as they are; the others are shown as comments with their defaults. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Their `network` sections are explained in the bridges that name them. */
  readonly connectors: readonly ConnectorSection[];
  /** Leaves out what is neither given nor required. */
  readonly brief?: boolean;
}

const width = 110;

/** A commented configuration made from the schema. */
export function renderConfig(options: SampleOptions): string {
  return new Sample(options).top().join("\n");
}

/** The sample that belongs to the documentation: every key there is. */
export function renderSample(connectors: readonly ConnectorSection[]): string {
  const bridges = connectors.map(({ name, example }) => ({
    name,
    connector: name,
    registration: `./registration-${name}.yaml`,
    network: example,
  }));
  const permissions = configOptions().find((option) => option.key === "permissions")?.example;
  const values = { homeserver: { url: "http://localhost:8008", name: "example.org" }, permissions, bridges };
  const head = [
    "# A configuration of Trestle with every key there is. A line that begins with # and a key shows the default (or an",
    "# example where there is none): remove the # of it, and of the section it stands in, to change it.",
    "# ${NAME} stands for an environment variable; key_FILE: path takes the value of key from a file.",
    "# What every bridge may have is shown at the first one.",
    "",
  ];
  return head.join("\n") + "\n" + renderConfig({ values, connectors });
}

/**
 * Whether keys that are not given are comments, or (inside a section that is a comment as a whole) plain, or left out
 * (where an earlier entry of the same list has shown them).
 */
type Mode = "comment" | "plain" | "given";

class Sample {
  constructor(private readonly options: SampleOptions) {}

  top(): string[] {
    return configOptions().flatMap((option) => {
      const lines = this.#option(option, this.options.values, "", "comment");
      return lines.length === 0 ? [] : [...lines, ""];
    });
  }

  #section(options: readonly ConfigOption[], values: Values, indent: string, mode: Mode): string[] {
    return options.flatMap((option) => this.#option(option, values, indent, mode));
  }

  #option(option: ConfigOption, values: Values, indent: string, mode: Mode): string[] {
    const given = values[option.key];
    const fromFile = values[`${option.key}_FILE`];
    const isBrief = mode === "given" || this.options.brief === true;
    if (given === undefined && fromFile === undefined && isBrief && !option.required) return [];
    const comment = wrap(option.description, indent);
    if (fromFile !== undefined) return [...comment, ...entry(`${option.key}_FILE`, fromFile, indent)];
    if (option.key === "network" && isRecord(given)) {
      return [...comment, ...this.#network(option, given, String(values["connector"]), indent)];
    }
    if (option.children.length > 0) return [...comment, ...this.#nested(option, given, indent, mode)];
    if (given !== undefined) return [...comment, ...entry(option.key, given, indent)];
    const known = option.preset ?? option.example;
    const lines = known === undefined ? [`${indent}${option.key}: <${option.type}>`] : entry(option.key, known, indent);
    return [
      ...comment,
      ...(mode === "plain" && (option.preset !== undefined || option.required) ? lines : hidden(lines, indent)),
    ];
  }

  #nested(option: ConfigOption, given: unknown, indent: string, mode: Mode): string[] {
    const head = `${indent}${option.key}:`;
    const items = Array.isArray(given) ? given.filter(isRecord) : [];
    if (option.isList && items.length > 0)
      return [head, ...items.flatMap((item, at) => this.#item(option, item, indent, at === 0 ? mode : "given"))];
    if (isRecord(given)) return [head, ...this.#section(option.children, given, `${indent}  `, mode)];
    const body = option.isList
      ? this.#item(option, {}, indent, "plain")
      : this.#section(option.children, {}, `${indent}  `, "plain");
    return mode === "plain" ? [head, ...body] : hidden([head, ...body], indent);
  }

  /** One entry of a list: the first of its keys takes the dash. */
  #item(option: ConfigOption, item: Values, indent: string, mode: Mode): string[] {
    const lines = this.#section(option.children, item, `${indent}    `, mode);
    const first = lines.findIndex((line) => !line.trimStart().startsWith("# "));
    return lines.map((line, at) => {
      if (at === first) return `${indent}  - ${line.trimStart()}`;
      return at < first ? `${indent}  ${line.trimStart()}` : line;
    });
  }

  #network(option: ConfigOption, given: Values, connector: string, indent: string): string[] {
    const section = this.options.connectors.find((each) => each.name === connector);
    if (section === undefined) return entry(option.key, given, indent);
    const body = this.#section(connectorOptions(section), given, `${indent}  `, "comment");
    return body.length === 0 ? [`${indent}${option.key}: {}`] : [`${indent}${option.key}:`, ...body];
  }
}

type Values = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `key: value` in as many lines as it takes. */
function entry(key: string, value: unknown, indent: string): string[] {
  const isEmpty = typeof value === "object" && value !== null && Object.keys(value).length === 0;
  const text = isEmpty
    ? `${key}: ${Array.isArray(value) ? "[]" : "{}"}`
    : dump({ [key]: value }, { lineWidth: -1, noRefs: true });
  return text
    .trimEnd()
    .split("\n")
    .map((line) => `${indent}${line}`);
}

/** Lines as comments whose # stands at the indent, so that removing it leaves valid YAML. */
function hidden(lines: readonly string[], indent: string): string[] {
  return lines.map((line) => `${indent}# ${line.slice(indent.length)}`);
}

function wrap(text: string, indent: string): string[] {
  if (text === "") return [];
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of text.split(" ")) {
    if (line.length + word.length + 1 > width && line !== `${indent}#`) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
