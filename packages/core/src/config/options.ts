import { configSchema } from "./schema.js";
import { toJsonSchema } from "./json-schema.js";
import type { ConnectorSection, JsonSchema } from "./json-schema.js";

/** One key of the configuration, as the documents show it. */
export interface ConfigOption {
  readonly key: string;
  readonly description: string;
  /** For a person: `text`, `a duration`, `one of a, b`. */
  readonly type: string;
  readonly required: boolean;
  /** `undefined`: none. */
  readonly preset: unknown;
  readonly example: unknown;
  /** The keys of a section, or of each entry of a list of sections. */
  readonly children: readonly ConfigOption[];
  readonly isList: boolean;
}

/** Every key of a configuration; the `network` of a bridge has no children (they are the connector's). */
export function configOptions(): ConfigOption[] {
  return optionsOf(toJsonSchema(configSchema));
}

/** Every key of a connector's section. */
export function connectorOptions(section: ConnectorSection): ConfigOption[] {
  return optionsOf(section.schema);
}

function optionsOf(schema: JsonSchema): ConfigOption[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
    typeof value === "object" ? [optionOf(key, value, schema.required?.includes(key) ?? false)] : [],
  );
}

function optionOf(key: string, schema: JsonSchema, required: boolean): ConfigOption {
  const entry = entryOf(schema);
  const children = optionsOf(entry ?? schema);
  const isSection = children.length > 0 && entry === undefined;
  return {
    key,
    description: schema.description ?? "",
    type: typeOf(schema),
    required,
    preset: isSection ? undefined : schema.default,
    example: Array.isArray(schema["examples"]) ? schema["examples"][0] : undefined,
    children,
    isList: entry !== undefined,
  };
}

/** The schema of a list's entries. */
function entryOf(schema: JsonSchema): JsonSchema | undefined {
  const { items } = schema;
  return typeof items === "object" && !Array.isArray(items) ? items : undefined;
}

function typeOf(schema: JsonSchema): string {
  if (schema["format"] === "duration") return "duration";
  if (schema.enum !== undefined) return schema.enum.map(String).join(", ");
  if (schema.const !== undefined) return String(schema.const);
  const forms = schema.anyOf ?? schema.oneOf;
  if (forms !== undefined) return forms.map((each) => typeOf(each)).join(" or ");
  switch (schema.type) {
    case "array":
      return listType(entryOf(schema));
    case "object":
      return schema.properties === undefined ? mapType(schema) : "section";
    case "integer":
    case "number":
      return numberType(schema);
    case "boolean":
      return "true or false";
    case "string":
      return schema["format"] === "uri" ? "URL" : "text";
    default:
      return "section";
  }
}

function mapType({ additionalProperties }: JsonSchema): string {
  return typeof additionalProperties === "object" ? `map to ${typeOf(additionalProperties)}` : "map";
}

function listType(entry: JsonSchema | undefined): string {
  if (entry === undefined) return "list";
  return entry.properties === undefined ? `list of ${typeOf(entry)}` : "list of sections";
}

function numberType({ type, minimum, maximum, exclusiveMinimum }: JsonSchema): string {
  const name = type === "integer" ? "whole number" : "number";
  const lowest = minimum ?? (typeof exclusiveMinimum === "number" ? undefined : Number.MIN_SAFE_INTEGER);
  const from =
    lowest === undefined
      ? `above ${String(exclusiveMinimum)}`
      : lowest > Number.MIN_SAFE_INTEGER
        ? `from ${lowest}`
        : "";
  const to = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? `to ${maximum}` : "";
  return [name, from, to].filter((part) => part !== "").join(" ");
}
