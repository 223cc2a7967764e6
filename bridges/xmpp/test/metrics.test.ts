import { readFile, writeFile } from "node:fs/promises";
import { afterEach, describe, expect, it } from "@jest/globals";
import { describeMetrics } from "../../../packages/core/dist/metrics/document.js";
import { Metrics } from "../../../packages/core/dist/metrics/metrics.js";
import type { XmppServer } from "../../../test/support/servers/xmpp-server.js";
import { XmppMetrics } from "../dist/metrics.js";
import { FakeCore } from "./support/fake-core.js";
import { FakeServer, SECRET } from "./support/fake-server.js";
import { RunningBridge } from "./support/running-bridge.js";

const metrics = new Metrics();
let server: FakeServer | undefined;
let bridge: RunningBridge | undefined;
afterEach(async () => {
  await bridge?.close();
  await server?.stop();
  metrics.close();
});

/** The sum of all series of a metric that have these labels. */
async function sum(name: string, labels: Readonly<Record<string, string>>): Promise<number> {
  const lines = (await metrics.registry.metrics()).split("\n").filter((line) => line.startsWith(`${name}{`));
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return lines
    .filter((line) => wanted.every((each) => line.includes(each)))
    .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

describe("the metrics of the XMPP bridge", () => {
  it("tell of stanzas, errors and connections", async () => {
    server = await FakeServer.start();
    const core = new FakeCore();
    Object.assign(core.network, { metrics: metrics.ofConnector("xmpp", "xmpp") });
    const place = { component: "bridge.test", secret: SECRET, componentPort: server.port } as unknown as XmppServer;
    bridge = await RunningBridge.start({ server: place, rooms: ["hall@rooms.test"], core });
    const session = await server.session(0);
    await session.receives("the join", (text) => text.includes("hall@rooms.test/Matrix"));
    await session.send(
      `<presence type='error' from='hall@rooms.test/Matrix' to='bridge@bridge.test/bridge'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>`,
    );
    await core.until("that the room is closed to it", () => core.statuses.get("hall@rooms.test")?.state === "waiting");
    expect(await sum("trestle_xmpp_stanzas_total", { direction: "out", kind: "presence" })).toBe(1);
    expect(await sum("trestle_xmpp_stanzas_total", { direction: "in", kind: "presence" })).toBe(1);
    expect(await sum("trestle_xmpp_errors_total", { kind: "presence", condition: "forbidden" })).toBe(1);
    expect(await sum("trestle_xmpp_connections_total", { outcome: "opened" })).toBe(1);
    session.socket.destroy();
    await server.session(1);
    expect(await sum("trestle_xmpp_connections_total", { outcome: "lost" })).toBe(1);
  });

  it("are listed in docs/metrics-xmpp.md", async () => {
    const path = new URL("../../../docs/metrics-xmpp.md", import.meta.url);
    const all = new Metrics();
    const core = new Set(all.registry.getMetricsAsArray().map(({ name }) => name));
    new XmppMetrics(all.ofConnector("xmpp", "xmpp"));
    for (const name of core) all.registry.removeSingleMetric(name);
    const page = describeMetrics(all.registry).replace("# Metrics", "# Metrics of the XMPP bridge");
    all.close();
    if (process.env["UPDATE_DOCS"] === "1") await writeFile(path, page);
    expect(await readFile(path, "utf8")).toBe(page);
  });
});
