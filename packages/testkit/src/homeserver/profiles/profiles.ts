import type { Profile, ProfileName } from "./profile.js";

const HALF_HOUR_MS = 30 * 60 * 1000;
const CASE_MATTERS = { users: false, aliases: false, rooms: false };

const spec: Profile = {
  name: "spec",
  switches: {},
  namespaces: { anchoring: "start", ignoreCase: CASE_MATTERS },
  defaultRoomVersion: "12",
  roomVersions: ["11", "12"],
  ghostLocalparts: "grammar",
  checksMasquerade: true,
  unknownDevice: "M_UNKNOWN_DEVICE",
  refusesTwoTokens: false,
  missingProfile: "M_NOT_FOUND",
  membersByAnyGhost: false,
  senderCannotSync: false,
  keepAlive: true,
  constructRegistration: false,
};

const synapse: Profile = {
  ...spec,
  name: "synapse",
  switches: {
    acceptedAnswers: "json",
    oneEventEachWhileDown: true,
    ephemeralNames: "registration",
    dropEphemeralOnRetry: true,
    leakPrivateReceipts: true,
    legacyEventKeys: true,
    pingRetries: true,
    clientTransactions: "synapse",
    clientTransactionSweepMs: HALF_HOUR_MS,
    latestVersion: "v1.12",
  },
  defaultRoomVersion: "11",
  ghostLocalparts: "any",
  unknownDevice: "ORG.MATRIX.MSC4326.M_UNKNOWN_DEVICE",
  refusesTwoTokens: true,
  missingProfile: "M_UNKNOWN",
  membersByAnyGhost: true,
  senderCannotSync: true,
};

const dendrite: Profile = {
  ...spec,
  name: "dendrite",
  switches: {
    growRetriedTransactions: true,
    transactionIds: "timestamp",
    maxTransactionEvents: 50,
    acceptedAnswers: "200",
    transactionTimeoutMs: 30_000,
    retryMaxMs: 64_000,
    ephemeralNames: "none",
    deviceMessageNames: "none",
    missingPing: true,
    missingAsyncUpload: true,
    clientTransactions: "dendrite",
    clientTransactionSweepMs: HALF_HOUR_MS,
    latestVersion: "v1.2",
  },
  namespaces: { anchoring: "anywhere", ignoreCase: CASE_MATTERS },
  defaultRoomVersion: "11",
  roomVersions: ["11"],
  unknownDevice: undefined,
  keepAlive: false,
};

const tuwunel: Profile = {
  ...spec,
  name: "tuwunel",
  switches: {
    transactionIds: "content-hash",
    maxTransactionEvents: 48,
    acceptedAnswers: "json",
    transactionTimeoutMs: 35_000,
    retryOn: "traffic",
    token: "both",
    pingRetries: true,
    clientTransactions: "tuwunel",
    clientTransactionSweepMs: 0,
  },
  namespaces: { anchoring: "anywhere", ignoreCase: { users: true, aliases: true, rooms: false } },
  defaultRoomVersion: "11",
  ghostLocalparts: "lower",
  unknownDevice: "M_INVALID_PARAM",
};

const construct: Profile = {
  ...spec,
  name: "construct",
  switches: {
    growRetriedTransactions: true,
    transactionIds: "position",
    maxTransactionEvents: 10_000,
    maxTransactionBytes: 512 * 1024,
    transactionTimeoutMs: 10_000,
    retryFirstMs: 15_000,
    retryMaxMs: 15_000,
    loseQueueAtRestart: true,
    ephemeralNames: "none",
    deviceMessageNames: "none",
    token: "query",
    missingPing: true,
    missingAsyncUpload: true,
    legacyMedia: true,
    clientTransactions: "construct",
    clientTransactionSweepMs: 0,
    latestVersion: "v1.6",
  },
  namespaces: { anchoring: "glob", ignoreCase: { users: true, aliases: true, rooms: true } },
  defaultRoomVersion: "11",
  roomVersions: ["11"],
  ghostLocalparts: "any",
  checksMasquerade: false,
  unknownDevice: undefined,
  constructRegistration: true,
};

/** The profiles by name; {@link Profile} has them side by side. */
export const profiles: Readonly<Record<ProfileName, Profile>> = { spec, synapse, dendrite, tuwunel, construct };

/** The names of the profiles. */
export const profileNames: readonly ProfileName[] = ["spec", "synapse", "dendrite", "tuwunel", "construct"];

export function isProfileName(name: unknown): name is ProfileName {
  return profileNames.some((each) => each === name);
}
