import type { JsonObject } from "../json.js";
import { integerField, isStringArray, objectField, stringField } from "../json.js";
import { ManualClock } from "../clock.js";
import type { HomeserverOptions } from "../options.js";
import { isProfileName, profileNames } from "../profiles/profiles.js";
import type { ProfileName } from "../profiles/profile.js";

export interface ProcessOptions {
  readonly homeserver: HomeserverOptions;
  readonly controlPort: number;
  readonly exitWithStdin: boolean;
}

/** Reads the options of a homeserver process; `"clock": "manual"` makes one that `advance` moves. @throws Error for values of a wrong type */
export function readOptions(value: JsonObject): ProcessOptions {
  const { registrations, versions } = value;
  if (registrations !== undefined && !Array.isArray(registrations)) throw new Error("registrations: expected a list");
  if (versions !== undefined && !isStringArray(versions)) throw new Error("versions: expected a list of strings");
  const retry = objectField(value, "retry");
  return {
    homeserver: {
      ...pick("serverName", stringField(value, "serverName")),
      ...pick("host", stringField(value, "host")),
      ...pick("port", integerField(value, "port")),
      ...pick("seed", integerField(value, "seed")),
      ...pick("requestLogSize", integerField(value, "requestLogSize")),
      ...pick("pendingUploadMs", integerField(value, "pendingUploadMs")),
      ...pick("registrations", registrations),
      ...pick("defaultRoomVersion", roomVersion(value)),
      ...pick("versions", versions),
      ...pick("profile", profileName(value)),
      ...(value["clock"] === "manual" ? { clock: new ManualClock() } : {}),
      ...(retry === undefined
        ? {}
        : { retry: { firstMs: integerField(retry, "firstMs") ?? 20, maxMs: integerField(retry, "maxMs") ?? 5_120 } }),
      ...pick("validate", flag(value, "validate")),
      ...pick("expectDeviations", flag(value, "expectDeviations")),
    },
    controlPort: integerField(value, "controlPort") ?? 0,
    exitWithStdin: flag(value, "exitWithStdin") ?? false,
  };
}

function roomVersion(value: JsonObject): "11" | "12" | undefined {
  const version = value["defaultRoomVersion"];
  if (version === undefined || version === "11" || version === "12") return version;
  throw new Error('defaultRoomVersion: expected "11" or "12"');
}

function profileName(value: JsonObject): ProfileName | undefined {
  const name = value["profile"];
  if (name === undefined || isProfileName(name)) return name;
  throw new Error(`profile: expected one of ${profileNames.join(", ")}`);
}

function flag(value: JsonObject, key: string): boolean | undefined {
  const found = value[key];
  if (found === undefined || typeof found === "boolean") return found;
  throw new Error(`${key}: expected true or false`);
}

function pick<K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  const picked: { [key in K]?: V } = {};
  if (value !== undefined) picked[key] = value;
  return picked;
}
