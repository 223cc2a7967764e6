import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { createLogger, type Check } from "@trestle/core";
import { configSchema, xmppConnector } from "@trestle/xmpp";
import { freePort } from "../../../test/support/bounded.js";
import { startEjabberd } from "../../../test/support/servers/ejabberd.js";
import { realServer } from "../../../test/support/servers/index.js";
import { startProsody } from "../../../test/support/servers/prosody.js";
import type { XmppServer } from "../../../test/support/servers/xmpp-server.js";
import { FakeServer, streamError } from "./support/fake-server.js";
import { ObservedStream } from "./support/observed-stream.js";

const log = createLogger({ level: "silent", format: "json" });
const prosody = await realServer("prosody");
const ejabberd = await realServer("ejabberd");

async function examine(settings: Record<string, unknown>, running?: boolean): Promise<readonly Check[]> {
  const config = configSchema.parse({ domain: "bridge.localhost", secret: "correct horse", ...settings });
  const { signal } = new AbortController();
  const checks =
    (await xmppConnector.doctor?.({ config, log, signal, ...(running !== undefined && { running }) })) ?? [];
  for (const { state, cure } of checks) if (state === "failed" || state === "warning") expect(cure).toBeTruthy();
  return checks;
}

const states = (checks: readonly Check[]): string[] => checks.map(({ check, state }) => `${check} ${state}`);

prosody.describe("what the doctor finds in Prosody", (install) => behaviour(() => startProsody(install)));
ejabberd.describe("what the doctor finds in ejabberd", (install) => behaviour(() => startEjabberd(install)));

function behaviour(start: () => Promise<XmppServer>): void {
  let server: XmppServer;
  beforeAll(async () => {
    server = await start();
  }, 60_000);
  afterAll(() => server.process.stop());

  it("is in order where everything is", async () => {
    const checks = await examine({ port: server.componentPort });
    expect(states(checks)).toEqual(["component ok", "route ok", "rooms ok", "upload ok"]);
    expect(checks.map(({ text }) => text).join(" ")).toContain(server.upload);
  });

  it("is that the secret is wrong, or the domain not known", async () => {
    expect(states(await examine({ port: server.componentPort, secret: "wrong" }))).toEqual(["secret failed"]);
    const unknown = await examine({ port: server.componentPort, domain: "nobody.localhost" });
    expect(states(unknown)).toEqual([unknown[0]?.check === "secret" ? "secret failed" : "domain failed"]);
  });

  it("leaves the connection of a bridge that runs alone", async () => {
    const bridge = await ObservedStream.online({ port: server.componentPort, domain: server.component });
    try {
      expect(states(await examine({ port: server.componentPort }, true))).toEqual(["component skipped"]);
      expect(bridge.connections).toBe(1);
      // Of a second program it may not be told; ejabberd lets several in.
      if (server.name === "Prosody")
        expect(states(await examine({ port: server.componentPort }))).toEqual(["component failed"]);
    } finally {
      await bridge.stream.close();
    }
  });
}

describe("what the doctor finds elsewhere", () => {
  const servers: FakeServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });

  it("is nobody at the port", async () => {
    const [check] = await examine({ port: await freePort() });
    expect(check).toMatchObject({ check: "reach", state: "failed" });
    expect(check?.text).toContain("ECONNREFUSED");
    expect(check?.text).not.toContain("next attempt");
  });

  it("is a server that does not know the domain", async () => {
    const server = await FakeServer.start({ handshake: streamError("host-unknown") });
    servers.push(server);
    expect(states(await examine({ port: server.port }))).toEqual(["domain failed"]);
  });
});
