import { configJsonSchema, renderReference, renderSample } from "@trestle/core";
import { includedSections } from "../connectors.js";

/** The documents that are made from the configuration's schema, by their path in the repository. */
export async function generateDocuments(): Promise<ReadonlyMap<string, string>> {
  const sections = await includedSections();
  return new Map([
    ["docs/configuration.md", renderReference(sections)],
    ["docs/trestle.sample.yaml", renderSample(sections)],
    ["docs/trestle.schema.json", `${JSON.stringify(configJsonSchema(sections), null, 2)}\n`],
  ]);
}
