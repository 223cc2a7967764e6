import type { JsonObject } from "../json.js";
import { isObject } from "../json.js";

/** One entry of a namespace list. */
export interface Namespace {
  readonly regex: string;
  readonly exclusive: boolean;
}

/** An application service's registration (Application Service API, "Registration"), as read from its YAML or JSON. */
export interface Registration {
  readonly id: string;
  /** Base URL of the application service; `null`: nothing is pushed to it. */
  readonly url: string | null;
  readonly as_token: string;
  readonly hs_token: string;
  readonly sender_localpart: string;
  readonly namespaces: {
    readonly users?: readonly Namespace[];
    readonly aliases?: readonly Namespace[];
    readonly rooms?: readonly Namespace[];
  };
  readonly rate_limited?: boolean;
  readonly protocols?: readonly string[];
  readonly receive_ephemeral?: boolean;
  readonly "de.sorunome.msc2409.push_ephemeral"?: boolean;
  /** Transactions carry the key counts of the devices they name (MSC3202). */
  readonly "org.matrix.msc3202"?: boolean;
}

/**
 * The registration as Construct takes it: its id is the sender's localpart, its `as_token` begins with `bridge_`.
 * @throws Error where the id is another
 */
export function asConstruct(registration: Registration): Registration {
  const { id, sender_localpart: localpart, as_token: token } = registration;
  if (id !== localpart) throw new Error(`registration.id: Construct wants the sender_localpart, ${localpart}`);
  return token.startsWith("bridge_") ? registration : { ...registration, as_token: `bridge_${token}` };
}

/**
 * Reads a registration as strictly as Synapse: a `url` key (it may be null), boolean `exclusive`, no `|` in the id.
 * @throws Error naming the key that is wrong
 */
export function parseRegistration(value: unknown): Registration {
  if (!isObject(value)) throw new Error("registration: expected an object");
  if (!("url" in value)) throw new Error("registration: the key 'url' is missing (it may be null)");
  const url = value["url"] ?? null;
  if (url !== null && typeof url !== "string") throw new Error("registration.url: expected a string or null");
  const id = text(value, "id");
  if (id.includes("|")) throw new Error("registration.id: must not contain '|'");
  const localpart = text(value, "sender_localpart");
  if (encodeURIComponent(localpart) !== localpart) {
    throw new Error("registration.sender_localpart: needs characters that are not URL encoded");
  }
  const namespaces = value["namespaces"];
  if (!isObject(namespaces)) throw new Error("registration.namespaces: expected an object");
  const protocols = value["protocols"];
  if (protocols !== undefined && !(Array.isArray(protocols) && protocols.every((name) => typeof name === "string"))) {
    throw new Error("registration.protocols: expected a list of strings");
  }
  return {
    id,
    url,
    as_token: text(value, "as_token"),
    hs_token: text(value, "hs_token"),
    sender_localpart: localpart,
    namespaces: {
      users: namespaceList(namespaces, "users"),
      aliases: namespaceList(namespaces, "aliases"),
      rooms: namespaceList(namespaces, "rooms"),
    },
    ...flag(value, "rate_limited"),
    ...flag(value, "receive_ephemeral"),
    ...flag(value, "de.sorunome.msc2409.push_ephemeral"),
    ...flag(value, "org.matrix.msc3202"),
    ...(protocols === undefined ? {} : { protocols: protocols.filter((name) => typeof name === "string") }),
  };
}

function text(value: JsonObject, key: string): string {
  const found = value[key];
  if (typeof found !== "string" || found === "") throw new Error(`registration.${key}: expected a non-empty string`);
  return found;
}

function flag(value: JsonObject, key: string): Record<string, boolean> {
  const found = value[key];
  if (found === undefined || found === null) return {};
  if (typeof found !== "boolean") throw new Error(`registration.${key}: expected true or false`);
  return { [key]: found };
}

function namespaceList(namespaces: JsonObject, kind: string): Namespace[] {
  const list = namespaces[kind] ?? [];
  if (!Array.isArray(list)) throw new Error(`registration.namespaces.${kind}: expected a list`);
  return list.map((entry, index) => {
    const where = `registration.namespaces.${kind}[${index}]`;
    if (!isObject(entry)) throw new Error(`${where}: expected an object`);
    const { regex, exclusive } = entry;
    if (typeof regex !== "string") throw new Error(`${where}.regex: expected a string`);
    if (typeof exclusive !== "boolean") throw new Error(`${where}.exclusive: expected true or false`);
    return { regex, exclusive };
  });
}
