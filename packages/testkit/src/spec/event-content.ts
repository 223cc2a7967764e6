import type { SchemaPlace, SpecDocuments } from "./data.js";

const FOLDER = "event-schemas/schema";

/** Where the schema of the content of an event is; `undefined` for types the specification does not describe. */
export function eventContentSchema(documents: SpecDocuments, type: string, content: unknown): SchemaPlace | undefined {
  if (!/^m\.[\w.]+$/u.test(type)) return undefined;
  // What is no longer in a space says so without `via`, although the schemas ask for it.
  if (/^m\.space\.(?:child|parent)$/u.test(type) && isRecord(content) && Object.keys(content).length === 0)
    return undefined;
  const msgtype: unknown = isRecord(content) ? content["msgtype"] : undefined;
  const names = [`${FOLDER}/${type}.yaml`];
  if (type === "m.room.message" && typeof msgtype === "string" && /^[\w.]+$/u.test(msgtype)) {
    names.unshift(`${FOLDER}/${type}$${msgtype}.yaml`);
  }
  const document = names.find((name) => documents.has(name));
  if (document === undefined) return undefined;
  const root = documents.read(document);
  const properties = isRecord(root) ? root["properties"] : undefined;
  if (!isRecord(properties) || !isRecord(properties["content"])) return undefined;
  return { document, pointer: ["properties", "content"] };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
