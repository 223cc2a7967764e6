import { readFile } from "node:fs/promises";
import { configJsonSchema, renderConnectorOptions, renderReference, renderSample } from "@trestle/core";
import type { ConnectorSection } from "@trestle/core";
import { includedSections } from "../connectors.js";

const root = new URL("../../../../", import.meta.url);
/** Pages with the options of one connector, between these marks. */
const pages: Readonly<Record<string, string>> = {
  "bridges/irc/README.md": "irc",
  "bridges/slack/README.md": "slack",
  "bridges/xmpp/README.md": "xmpp",
};
const optionsBegin = "<!-- Made from the schema by `npm run docs:generate`: the options -->";
const optionsEnd = "<!-- The options end here -->";

/** The documents that are made from the configuration's schema, wholly or in part, by their path in the repository. */
export async function generateDocuments(): Promise<ReadonlyMap<string, string>> {
  const sections = await includedSections();
  const documents = new Map([
    ["docs/configuration.md", renderReference(sections)],
    ["docs/trestle.sample.yaml", renderSample(sections)],
    ["docs/trestle.schema.json", `${JSON.stringify(configJsonSchema(sections), null, 2)}\n`],
  ]);
  for (const [path, connector] of Object.entries(pages)) {
    const section = sections.find(({ name }) => name === connector);
    if (section === undefined) throw new Error(`There is no connector ${connector} for ${path}.`);
    documents.set(path, withOptions(path, await readFile(new URL(path, root), "utf8"), section));
  }
  return documents;
}

function withOptions(path: string, page: string, section: ConnectorSection): string {
  const [begin, end] = [page.indexOf(optionsBegin), page.indexOf(optionsEnd)];
  if (begin < 0 || end < begin) throw new Error(`${path} has lost the marks between which its options stand.`);
  const before = page.slice(0, begin + optionsBegin.length);
  return `${before}\n<!-- prettier-ignore-start -->\n\n${renderConnectorOptions(section)}\n\n<!-- prettier-ignore-end -->\n${page.slice(end)}`;
}
