import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkService, formatReport } from "@trestle/conformance";
import { createLogger, loadConfig, startTrestle, type RunningTrestle } from "@trestle/core";
import { Homeserver } from "@trestle/testkit";
import { freePort } from "../../../test/support/bounded.js";
import { Parlour } from "./support/parlour.js";
import { parlourConnector } from "./support/parlour-connector.js";

const registration = {
  id: "parlour",
  url: "",
  as_token: "the-as-token-of-the-parlour",
  hs_token: "the-hs-token-of-the-parlour",
  sender_localpart: "parlourbot",
  protocols: ["parlour"],
  rate_limited: false,
  receive_ephemeral: true,
  namespaces: {
    users: [{ exclusive: true, regex: "^@parlour_.*:trestle\\.test$" }],
    aliases: [{ exclusive: true, regex: "^#parlour_.*:trestle\\.test$" }],
    rooms: [],
  },
};

let directory: string;
let homeserver: Homeserver;
let trestle: RunningTrestle;

async function start(): Promise<void> {
  const loaded = await loadConfig(join(directory, "trestle.yaml"));
  const log = createLogger({ ...loaded.config.log, level: "silent" });
  trestle = await startTrestle(loaded, { log, connectors: { parlour: parlourConnector(new Parlour()) } });
  await trestle.greeted;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "trestle-service-"));
  homeserver = await Homeserver.start({ serverName: "trestle.test", expectDeviations: true });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  homeserver.addAppService({ ...registration, url });
  const config = {
    homeserver: { url: homeserver.url, name: "trestle.test" },
    listen: { port },
    operations: { port: 0 },
    media: { port: 0 },
    permissions: { "*": "user" },
    bridges: [{ name: "parlour", connector: "parlour", registration: "registration.yaml" }],
  };
  await writeFile(join(directory, "registration.yaml"), JSON.stringify({ ...registration, url }));
  await writeFile(join(directory, "trestle.yaml"), JSON.stringify(config));
  await start();
});

afterAll(async () => {
  await trestle.close();
  await homeserver.stop();
  await rm(directory, { recursive: true, force: true });
});

describe("Trestle, examined from outside", () => {
  it("passes everything, none left out", async () => {
    const report = await checkService({
      url: trestle.url,
      registration,
      homeserver,
      restart: async () => {
        await trestle.close();
        await start();
      },
    });
    const text = formatReport(report);
    expect(text).not.toMatch(/✗/);
    expect(report.results.filter(({ outcome }) => outcome === "left out")).toEqual([]);
    expect(report.ok).toBe(true);
  }, 120_000);
});
