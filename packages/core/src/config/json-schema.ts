import { z } from "zod";
import { configSchema } from "./schema.js";

/** A JSON Schema (2020-12) as zod writes it. */
export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** A connector's settings, for the documents that are made from the schemas. */
export interface ConnectorSection {
  /** What `connector:` says, e.g. `irc`. */
  readonly name: string;
  readonly displayName: string;
  /** The JSON Schema of the connector's `config`. */
  readonly schema: JsonSchema;
  /** What the sample shows. */
  readonly example: Readonly<Record<string, unknown>>;
}

/** The JSON Schema of what one writes (not of what is read: defaults are not yet filled in). */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
}

/** The JSON Schema of a whole configuration, for editors; `${ENV}` and `key_FILE` are allowed wherever they work. */
export function configJsonSchema(connectors: readonly ConnectorSection[]): JsonSchema {
  const schema = toJsonSchema(configSchema);
  const items = schema.properties?.["bridges"];
  const bridge =
    typeof items === "object" && typeof items.items === "object" && !Array.isArray(items.items)
      ? items.items
      : undefined;
  if (bridge !== undefined) bridge.allOf = connectors.map(sectionRule);
  allowSubstitution(schema);
  return { $schema: "https://json-schema.org/draft/2020-12/schema", title: "Trestle configuration", ...schema };
}

function sectionRule({ name, schema }: ConnectorSection): JsonSchema {
  const section = structuredClone(schema);
  delete section.$schema;
  return {
    if: { properties: { connector: { const: name } }, required: ["connector"] },
    then: { properties: { network: section }, ...((section.required ?? []).length > 0 && { required: ["network"] }) },
  };
}

const secretFile: JsonSchema = { type: "string", description: "A file that holds the value" };
const environment: JsonSchema = { type: "string", pattern: "\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}" };

/** Changes the schema in place, and everything in it. */
function allowSubstitution(schema: JsonSchema): void {
  const { properties, items, additionalProperties } = schema;
  delete schema["format"];
  if (properties !== undefined) {
    if (additionalProperties === false) schema.patternProperties = { "^[A-Za-z][A-Za-z0-9_]*_FILE$": secretFile };
    for (const [key, value] of Object.entries(properties)) {
      if (typeof value === "object") properties[key] = withEnvironment(value);
    }
  }
  const inner = [items, additionalProperties, ...(schema.anyOf ?? []), ...(schema.allOf ?? [])];
  for (const each of [...inner, schema.then].flat()) if (typeof each === "object") allowSubstitution(each);
}

/** Whatever is more than any text may come from the environment as well. */
function withEnvironment(schema: JsonSchema): JsonSchema {
  allowSubstitution(schema);
  const isSection = schema.properties !== undefined || schema.type === "array" || schema.type === "object";
  const isAnything = schema.type === undefined && schema.anyOf === undefined;
  const isAnyText = schema.type === "string" && schema.pattern === undefined && schema.enum === undefined;
  if (isSection || isAnything || isAnyText) return schema;
  if (schema.anyOf !== undefined) return { ...schema, anyOf: [...schema.anyOf, environment] };
  const { description, default: preset, examples, ...value } = schema;
  return {
    ...(description !== undefined && { description }),
    ...(preset !== undefined && { default: preset }),
    ...(examples !== undefined && { examples }),
    anyOf: [value, environment],
  };
}
