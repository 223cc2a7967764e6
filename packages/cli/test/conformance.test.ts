import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { freePorts, trestle, workplace } from "./support/cli.js";

const registration = `id: small
url: null
as_token: as
hs_token: hs
sender_localpart: smallbot
namespaces: { users: [{ exclusive: true, regex: '^@small_.*:small\\.test$' }] }
`;

let directory: string;
let remove: () => Promise<void>;
let server: Server;
let url: string;
/** Paths that were asked for. */
let asked: string[];

beforeEach(async () => {
  ({ directory, remove } = await workplace());
  await writeFile(join(directory, "reg.yaml"), registration);
  asked = [];
  // Lets in whoever knows the token; has no ping.
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    request.resume().once("end", () => {
      const pushed = request.method === "PUT" && request.headers.authorization === "Bearer hs";
      response.writeHead(pushed ? 200 : 404, { "content-type": "application/json" });
      response.end(pushed ? "{}" : '{"errcode":"M_UNRECOGNIZED","error":"no"}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await remove();
});

const examine = (...args: readonly string[]) =>
  trestle(directory, "conformance", "--registration", "reg.yaml", "--url", url, ...args);

describe("trestle conformance", () => {
  it("ends with 0 where all that must hold holds", async () => {
    const { status, stdout } = await examine("--only", "transactions.empty", "authorization.header");
    expect(stdout).toMatch(/Authorization\n {2}✓ MUST .*\[authorization\.header\]\n\nPushing events\n {2}✓ MUST/);
    expect(stdout).toContain("2 passed, 0 failed, 0 left out. All that must hold holds.");
    expect(status).toBe(0);
  });

  it("ends with 1 where something does not, and says what", async () => {
    const { status, stdout } = await examine("--only", "ping");
    expect(stdout).toMatch(/✗ MUST {3}A ping is answered.*\n.*what failed: A ping .* is answered 404/);
    expect(status).toBe(1);
  });

  it("prints one JSON document on request", async () => {
    const { status, stdout } = await examine("--only", "ping.answer", "--json");
    const report: unknown = JSON.parse(stdout);
    expect(report).toMatchObject({ ok: false, results: [{ id: "ping.answer", group: "Pinging", outcome: "failed" }] });
    expect(status).toBe(1);
  });

  it("starts a homeserver and runs the restart command where it is told to", async () => {
    const [port] = await freePorts(1);
    const { status, stdout } = await examine(
      "--only",
      "ping.asks",
      "restart",
      "--homeserver-port",
      String(port),
      "--restart-command",
      "echo restarted > restarted",
    );
    expect(stdout).toMatch(/✗ extra .*\[ping\.asks\]/);
    expect(stdout).toMatch(/✓ MUST .*\[restart\.transactions\]/);
    expect(asked.filter((path) => path.endsWith("/transactions/1"))).toHaveLength(1);
    expect(status).toBe(0);
  });

  it("has an exit status of its own for a wrong registration, a wrong name, and a service that is away", async () => {
    await writeFile(join(directory, "bad.yaml"), "id: small\n");
    const bad = await trestle(directory, "conformance", "--registration", "bad.yaml", "--url", url);
    expect([bad.status, bad.stderr]).toEqual([
      11,
      expect.stringContaining("bad.yaml cannot be used: The registration has no hs_token"),
    ]);
    const nonsense = await examine("--only", "nonsense");
    expect([nonsense.status, nonsense.stderr]).toEqual([2, expect.stringContaining("There is no check nonsense")]);
    const [free] = await freePorts(1);
    const away = await trestle(
      directory,
      "conformance",
      "--registration",
      "reg.yaml",
      "--url",
      `http://127.0.0.1:${free}`,
    );
    expect([away.status, away.stderr]).toEqual([20, expect.stringContaining("Nothing listens at")]);
  });
});
