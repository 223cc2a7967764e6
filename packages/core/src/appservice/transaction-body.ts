import { isRecord } from "./event.js";

/** What a transaction brings (AS API, `PUT /transactions/{txnId}`), whichever spelling the homeserver used. */
export interface TransactionBody {
  readonly events: readonly unknown[];
  readonly ephemeral: readonly unknown[];
  readonly toDevice: readonly unknown[];
  readonly deviceLists: { readonly changed: readonly string[]; readonly left: readonly string[] };
  readonly oneTimeKeyCounts: Readonly<Record<string, unknown>>;
  readonly unusedFallbackKeyTypes: Readonly<Record<string, unknown>>;
}

/** The stable name first; where a homeserver sends both, the other says the same again and is not read. */
const spellings = {
  ephemeral: ["ephemeral", "de.sorunome.msc2409.ephemeral"],
  toDevice: ["to_device", "de.sorunome.msc2409.to_device"],
  deviceLists: ["device_lists", "org.matrix.msc3202.device_lists"],
  oneTimeKeyCounts: [
    "device_one_time_keys_count",
    "org.matrix.msc3202.device_one_time_keys_count",
    "org.matrix.msc3202.device_one_time_key_counts",
  ],
  unusedFallbackKeyTypes: ["device_unused_fallback_key_types", "org.matrix.msc3202.device_unused_fallback_key_types"],
} as const;

/** Reads a parsed body; what is missing or of the wrong type reads as empty, except that the body must be an object. */
export function readTransactionBody(body: unknown): TransactionBody | undefined {
  if (!isRecord(body)) return undefined;
  const lists = record(body, spellings.deviceLists);
  return {
    events: list(body.events),
    ephemeral: list(first(body, spellings.ephemeral)),
    toDevice: list(first(body, spellings.toDevice)),
    deviceLists: { changed: strings(lists.changed), left: strings(lists.left ?? lists.removed) },
    oneTimeKeyCounts: record(body, spellings.oneTimeKeyCounts),
    unusedFallbackKeyTypes: record(body, spellings.unusedFallbackKeyTypes),
  };
}

function first(body: Readonly<Record<string, unknown>>, names: readonly string[]): unknown {
  for (const name of names) if (body[name] !== undefined) return body[name];
  return undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

function strings(value: unknown): readonly string[] {
  return list(value).filter((item): item is string => typeof item === "string");
}

function record(body: Readonly<Record<string, unknown>>, names: readonly string[]): Readonly<Record<string, unknown>> {
  const value = first(body, names);
  return isRecord(value) ? value : {};
}
