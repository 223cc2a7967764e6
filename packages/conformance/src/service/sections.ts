const base = "https://spec.matrix.org/v1.19/application-service-api/";

const stuck = "the homeserver sends it again for ever, and nothing that happens later reaches the bridge";
const unsure = "people are told that something failed, where something exists or does not";
const bad = "one bad request, and the log tells nothing, or everybody behind it waits";

/** Sections of the Application Service API: their names, where to read them, and what people see where they are not kept. */
export const sections = {
  authorization: {
    name: "Authorization",
    look: `${base}#authorization`,
    seen: "strangers are let in, or the homeserver is not",
  },
  routes: {
    name: "Unknown routes",
    look: `${base}#unknown-routes`,
    seen: "a homeserver cannot tell what the service does not know from what does not exist",
  },
  legacy: { name: "Legacy routes", look: `${base}#legacy-routes`, seen: "old homeservers reach nobody" },
  transactions: { name: "Pushing events", look: `${base}#pushing-events`, seen: stuck },
  ephemeral: { name: "Pushing ephemeral data", look: `${base}#pushing-ephemeral-data`, seen: stuck },
  ping: { name: "Pinging", look: `${base}#pinging`, seen: "the homeserver takes the service for unreachable" },
  querying: { name: "Querying", look: `${base}#querying`, seen: unsure },
  thirdParty: { name: "Third-party networks", look: `${base}#third-party-networks`, seen: unsure },
  robustness: {
    name: "Bad input (beyond the specification)",
    look: "how the service reads bodies and paths: what it cannot understand must not end a request without an answer",
    seen: bad,
  },
  restart: {
    name: "Restarts (beyond the specification)",
    look: "what the service remembers, and where: event ids on disk, never transaction ids",
    seen: stuck,
  },
} as const;

export type Section = keyof typeof sections;
