import { type Network, UserId } from "@trestle/core";
import { pino } from "pino";

/**
 * What a connector is given, with as little behind it as there can be: a fake core says after it what its test is about.
 * `stored` is what the connector keeps.
 */
export function quietNetwork(name: string, stored = new Map<string, string>()): Network {
  const unused = (): Promise<never> => Promise.reject(new Error("not used by this connector"));
  return {
    bridge: {
      name,
      bot: UserId(`@${name}bot:example.org`),
      serverName: "example.org",
      allMembers: false,
      dataDirectory: "/nonexistent",
    },
    log: pino({ level: process.env["TRESTLE_TEST_LOG"] ?? "silent" }),
    receive: unused,
    receiveAll: unused,
    signal: () => undefined,
    report: () => undefined,
    status: unused,
    links: () => Promise.resolve([]),
    requestLink: () => Promise.resolve("asked"),
    consented: () => Promise.resolve(false),
    openRoom: () => Promise.resolve(undefined),
    lookAtRoom: unused,
    lookUpUser: () => Promise.resolve({ is: "user" }),
    removeLinks: () => Promise.resolve([]),
    moveChannel: () => Promise.resolve([]),
    spacesChanged: () => undefined,
    ghostsIn: () => Promise.resolve({ inAll: new Set(), inAny: new Set() }),
    openMedia: unused,
    textLink: () => undefined,
    avatarLink: () => undefined,
    picture: () => Promise.resolve(undefined),
    storage: {
      get: (key) => Promise.resolve(stored.get(key)),
      set: (key, value) => Promise.resolve(void stored.set(key, value)),
      delete: (key) => Promise.resolve(void stored.delete(key)),
      keys: (prefix) => Promise.resolve([...stored.keys()].filter((key) => key.startsWith(prefix)).sort()),
    },
    logins: () => Promise.resolve([]),
    metrics: { counter: () => ({ add: () => undefined }), histogram: () => ({ observe: () => undefined }) },
    renewLogin: () => Promise.resolve(),
    endLogin: () => Promise.resolve(),
  };
}
