import { configOptions, connectorOptions } from "./options.js";
import type { ConfigOption } from "./options.js";
import type { ConnectorSection } from "./json-schema.js";

const head = `# Configuration

<!-- Made from the schema by \`npm run docs:generate\`; change packages/core/src/config/schema.ts instead. -->

One YAML file, usually \`trestle.yaml\`; \`trestle init\` writes one, \`trestle check\` validates it.
[trestle.sample.yaml](trestle.sample.yaml) shows every key at its place; [trestle.schema.json](trestle.schema.json) is the JSON Schema for editors
(first line of your file: \`# yaml-language-server: $schema=…/trestle.schema.json\`).

- \`\${NAME}\` in a text stands for the environment variable NAME; one that is not set is an error. \`$\${\` stands for \`\${\` itself.
- \`key_FILE: path\` takes the value of \`key\` from a file, without the white space around it. For secrets.
- Paths are relative to the file. Durations are \`500ms\`, \`30s\`, \`5m\`, \`12h\`, \`7d\`, or a number of milliseconds.
- Trestle never writes to this file. Changes take effect at the next start.
`;

/** The Markdown page that lists every key with its type, default and meaning. */
export function renderReference(connectors: readonly ConnectorSection[]): string {
  const options = configOptions();
  const leaves = options.filter((option) => option.children.length === 0);
  const sections = options.filter((option) => option.children.length > 0);
  const parts = [
    head,
    "## Top level\n",
    table(leaves),
    ...sections.flatMap((option) => sectionOf(option, "", 2)),
    ...connectors.flatMap((connector) => [
      `## \`bridges[].network\` of ${connector.displayName} (\`connector: ${connector.name}\`)\n`,
      ...body(connectorOptions(connector), "bridges[].network", 3),
    ]),
  ];
  return `${parts.join("\n").trimEnd()}\n`;
}

/** The tables of a connector's own keys alone, for its own page; `level` is that of their headings. */
export function renderConnectorOptions(connector: ConnectorSection, level = 3): string {
  return body(connectorOptions(connector), "", level).join("\n").trimEnd();
}

function sectionOf(option: ConfigOption, parent: string, level: number): string[] {
  const path = `${parent === "" ? "" : `${parent}.`}${option.key}${option.isList ? "[]" : ""}`;
  return [
    `${"#".repeat(Math.min(level, 5))} \`${path}\`\n`,
    ...(option.description === "" ? [] : [`${sentence(option.description)}\n`]),
    ...body(option.children, path, level + 1),
  ];
}

function body(options: readonly ConfigOption[], path: string, level: number): string[] {
  return [
    table(options),
    ...options.filter((each) => each.children.length > 0).flatMap((each) => sectionOf(each, path, level)),
  ];
}

function table(options: readonly ConfigOption[]): string {
  const rows = options.map(
    (option) =>
      `| \`${option.key}\` | ${cell(option.type)} | ${presetCell(option)} | ${cell(sentence(option.description))} |`,
  );
  return ["| Key | Type | Default | Meaning |", "| --- | --- | --- | --- |", ...rows, ""].join("\n");
}

function presetCell(option: ConfigOption): string {
  if (option.required) return "**required**";
  if (option.preset === undefined) return option.children.length > 0 ? "" : "none";
  return cell(`\`${typeof option.preset === "string" ? option.preset : JSON.stringify(option.preset)}\``);
}

function cell(text: string): string {
  return text.replaceAll(/[|<]/g, "\\$&");
}

function sentence(text: string): string {
  return text === "" || /[.!?]$/.test(text) ? text : `${text}.`;
}
