import { createHash } from "node:crypto";
import type { FaultSwitches } from "../faults/switches.js";
import type { JsonObject } from "../json.js";
import { stringField } from "../json.js";
import type { StoredEvent } from "../rooms/event.js";
import { appServiceEvent } from "../rooms/event.js";
import type { Registration } from "./registration.js";

/** What one transaction carries. */
export interface TransactionContent {
  events: StoredEvent[];
  ephemeral: JsonObject[];
  /** Messages to devices of the application service's users, with `to_user_id` and `to_device_id`. */
  toDevice: JsonObject[];
  /** Users whose devices or keys changed. */
  changedDevices: string[];
}

/** The content of a transaction that carries events alone. */
export function onlyEvents(events: StoredEvent[]): TransactionContent {
  return { events, ephemeral: [], toDevice: [], changedDevices: [] };
}

export interface Transaction extends TransactionContent {
  readonly id: string;
}

/** What encrypting application services are told besides events (MSC3202), by the users that a transaction names. */
export type DeviceExtras = (users: ReadonlySet<string>) => {
  readonly oneTimeKeyCounts: JsonObject;
  readonly unusedFallbackKeys: JsonObject;
};

/**
 * The id of a transaction, in the way of the homeserver that the switches name.
 * @param next takes the next number of the sequence
 */
export function transactionId(
  { transactionIds }: FaultSwitches,
  content: TransactionContent,
  now: number,
  next: () => number,
): string {
  const first = content.events[0];
  if (transactionIds === "content-hash") return contentHash(content);
  if (transactionIds === "position" && first !== undefined) return String(first.position);
  if (transactionIds === "timestamp" && first !== undefined) {
    return `${now}${String(first.position % 1_000_000).padStart(6, "0")}`;
  }
  return String(next());
}

function contentHash({ events, ephemeral, toDevice, changedDevices }: TransactionContent): string {
  const content = JSON.stringify([events.map((event) => event.eventId), ephemeral, toDevice, changedDevices]);
  return createHash("sha256").update(content).digest("base64url");
}

/** The body of the request, under the names that the switches and the registration ask for. */
export function transactionBody(
  switches: FaultSwitches,
  registration: Registration,
  content: TransactionContent,
  extras: DeviceExtras,
): JsonObject {
  const body: JsonObject = {
    events: content.events.map((event) => appServiceEvent(event, switches.legacyEventKeys)),
  };
  if (content.ephemeral.length > 0) {
    for (const name of ephemeralNames(switches, registration)) body[name] = content.ephemeral;
  }
  addDeviceMessages(body, switches, registration, content, extras);
  return body;
}

function* ephemeralNames({ ephemeralNames: names }: FaultSwitches, registration: Registration): Iterable<string> {
  const { receive_ephemeral: stable, "de.sorunome.msc2409.push_ephemeral": unstable } = registration;
  const asked = names === "registration";
  if (asked ? stable === true : names === "stable" || names === "both") yield "ephemeral";
  if (asked ? unstable === true : names === "unstable" || names === "both") yield "de.sorunome.msc2409.ephemeral";
}

function addDeviceMessages(
  body: JsonObject,
  switches: FaultSwitches,
  registration: Registration,
  content: TransactionContent,
  extras: DeviceExtras,
): void {
  if (switches.deviceMessageNames === "none") return;
  const stable = switches.deviceMessageNames === "stable";
  if (content.toDevice.length > 0) body[stable ? "to_device" : "de.sorunome.msc2409.to_device"] = content.toDevice;
  if (registration["org.matrix.msc3202"] !== true) return;
  const prefix = stable ? "" : "org.matrix.msc3202.";
  const { oneTimeKeyCounts, unusedFallbackKeys } = extras(usersIn(content));
  body[`${prefix}device_one_time_keys_count`] = oneTimeKeyCounts;
  body[`${prefix}device_unused_fallback_key_types`] = unusedFallbackKeys;
  if (content.changedDevices.length > 0) {
    body[`${prefix}device_lists`] = { changed: content.changedDevices, left: [] };
  }
}

/** Who receives a message to a device, sends an event, or is its target. */
function usersIn({ events, toDevice }: TransactionContent): ReadonlySet<string> {
  const users = new Set(toDevice.map((message) => stringField(message, "to_user_id") ?? ""));
  for (const event of events) {
    users.add(event.sender);
    if (event.type === "m.room.member" && event.stateKey !== undefined) users.add(event.stateKey);
  }
  return users;
}
