import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { X509Certificate } from "node:crypto";
import { createServer, isIPv6 } from "node:net";
import { ChannelId } from "@trestle/core";
import { IrcServer, selfSignedCertificate } from "@trestle/testkit";
import fc from "fast-check";
import { isFlooded, worthOf } from "../dist/session/error-texts.js";
import { addressOf, isPrefix } from "../dist/network/connections/user-address.js";
import { offeredStsPolicy } from "../dist/session/sts.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";

jest.setTimeout(60_000);

describe("the words of a server that ends a connection", () => {
  it.each([
    ["Closing link: (~x@127.0.0.1) [K-Lined: no bridges]", "never"],
    ["Closing Link: host (G-lined: spam)", "never"],
    ["Closing link: (x@y) [Z:Lined (bye)]", "never"],
    ["You are banned from this server", "never"],
    ["AKILL ID:12345 go away", "never"],
    ["Closing Link: 127.0.0.1 (Throttled: Reconnecting too fast)", "late"],
    ["Trying to reconnect too fast.", "late"],
    ["Too many host connections (local)", "late"],
    ["Closing link: (x@y) [Excess Flood]", "soon"],
    ["Closing Link: x (RecvQ exceeded)", "soon"],
    ["Your host is trying to (re)connect too fast -- throttled", "late"],
    ["No more connections allowed from your host via this connect class (local)", "late"],
    ["Server shutdown", "soon"],
    ["Ping timeout: 120 seconds", "soon"],
    ["connect ECONNREFUSED 127.0.0.1:6667", "soon"],
    ["Closing link: (x@y) [Quit: sharpened lined paper]", "soon"],
  ])("%j: %s", (text, worth) => {
    expect(worthOf(text)).toBe(worth);
  });

  it("tell of a flood", () => {
    expect(isFlooded("Closing link: (x@y) [Excess Flood]")).toBe(true);
    expect(isFlooded("Closing Link: x (RecvQ exceeded)")).toBe(true);
    expect(isFlooded("Server shutdown")).toBe(false);
  });
});

describe("the IPv6 address of a user", () => {
  const key = Buffer.alloc(32, 7);
  const value = (address: string): bigint =>
    address.split(":").reduce((sum, group) => (sum << 16n) | BigInt(Number.parseInt(group, 16)), 0n);

  it("is inside the prefix, the same every time, and another for everybody else", () => {
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.integer({ min: 1, max: 64 }), (user, bits) => {
        const address = addressOf(key, user, `2001:db8:1:2::/${bits}`);
        expect(isIPv6(address)).toBe(true);
        const shift = BigInt(128 - bits);
        expect(value(address) >> shift).toBe(value("2001:db8:1:2:0:0:0:0") >> shift);
        expect(addressOf(key, user, `2001:db8:1:2::/${bits}`)).toBe(address);
        if (bits !== 64) return;
        expect(seen.get(address) ?? user).toBe(user);
        seen.set(address, user);
      }),
      { seed: 20260603, numRuns: 500 },
    );
    expect(addressOf(Buffer.alloc(32, 8), "@a:b", "2001:db8::/64")).not.toBe(addressOf(key, "@a:b", "2001:db8::/64"));
  });

  it.each(["2001:db8::", "10.0.0.0/8", "::ffff:10.0.0.1/96", "2001:db8::/129", "x/64"])("has no prefix %s", (text) => {
    expect(isPrefix(text)).toBe(false);
  });
});

describe("strict transport security", () => {
  it.each([
    ["port=6697,duration=100", { port: 6697, duration: 100 }],
    ["duration=0", { port: undefined, duration: 0 }],
    ["port=6697", { port: 6697, duration: undefined }],
    ["preload", undefined],
    ["port=x", undefined],
  ])("reads %s", (text, policy) => {
    expect(offeredStsPolicy(`multi-prefix sts=${text} sasl`)).toEqual(policy);
  });
});

describe("where the bridge connects to", () => {
  let server: IrcServer;
  let bridge: RunningBridge;
  afterEach(async () => {
    await bridge.end();
    await server.stop();
  });
  const start = (more: Parameters<typeof networkOn>[1], port = server.port) =>
    RunningBridge.start({
      networks: [networkOn(port, more)],
      channels: ["net/#room"],
      config: { onStop: "quit" },
    }).then((each) => each.ready());

  it("is the next server where one does not answer", async () => {
    server = await IrcServer.start();
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, "127.0.0.1", resolve));
    const address = gone.address();
    const port = typeof address === "object" && address ? address.port : 0;
    await new Promise((resolve) => gone.close(resolve));
    bridge = await start({ fallbacks: [`127.0.0.1:${server.port}`] }, port);
    expect(server.nicks).toContain("trestle");
  });

  it("is TLS alone once the server has asked for it, also after a restart", async () => {
    const certificate = selfSignedCertificate();
    server = await IrcServer.start({ tls: certificate, tlsPort: 0, sts: { durationSeconds: 3_600 } });
    bridge = await start({ insecure: true });
    const [stored] = [...bridge.core.stored].filter(([key]) => key.startsWith("sts:net:"));
    expect(JSON.parse(stored![1])).toMatchObject({ port: server.tlsPort });
    expect(server.linesFrom("trestle").some((line) => line.startsWith("CAP END"))).toBe(true);
  });

  it("is a server with one of the certificates that the operator knows, and no other", async () => {
    const certificate = selfSignedCertificate();
    const fingerprint = new X509Certificate(certificate.cert).fingerprint256;
    server = await IrcServer.start({ tls: certificate });
    bridge = await start({ tls: true, fingerprints: ["00".repeat(32), fingerprint] });
    expect(server.nicks).toContain("trestle");
    await bridge.end();
    bridge = await RunningBridge.start({
      networks: [networkOn(server.port, { tls: true, fingerprints: ["00".repeat(32)] })],
      config: { onStop: "quit" },
    });
    await bridge.core.until("the refusal", () =>
      bridge.core.statuses.get("net")?.detail?.includes(`has the fingerprint ${fingerprint}`),
    );
    expect(server.nicks).toEqual([]);
  });

  it("tells a gateway's server of everybody's own host", async () => {
    server = await IrcServer.start({ webirc: "gateway-secret" });
    bridge = await start({ webirc: { password: "gateway-secret", hosts: "users.example.org" } });
    await bridge.say({ channel: ChannelId("net/#room"), text: "hello", user: "@alice:x", name: "Alice" });
    await bridge.say({ channel: ChannelId("net/#room"), text: "hello", user: "@bob:x", name: "Bob" });
    const hosts = ["Alice[m]", "Bob[m]"].map((nick) => server.maskOf(nick).split("@")[1]);
    for (const host of hosts) expect(host).toMatch(/^[0-9a-f]{16}\.users\.example\.org$/);
    expect(hosts[0]).not.toBe(hosts[1]);
  });
});
