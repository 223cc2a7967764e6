import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import type { ChildProcess } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { profileNames, TestClient } from "@trestle/testkit";
import { ended, freePorts, start, trestle, workplace } from "./support/cli.js";
import { patiently } from "../../../test/support/bounded.js";

jest.setTimeout(60_000);

describe("trestle homeserver", () => {
  let directory: string;
  const closers: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    const place = await workplace();
    directory = place.directory;
    closers.push(place.remove);
  });
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  /** Starts the command; resolves with what it printed, as JSON, once it listens. */
  const run = async (...args: readonly string[]): Promise<{ child: ChildProcess; said: Record<string, unknown> }> => {
    const child = start(directory, ["homeserver", "--json", "--port", "0", ...args]);
    const end = ended(child);
    closers.push(() => {
      child.kill();
      return end;
    });
    const said = await new Promise<Record<string, unknown>>((resolve, reject) => {
      let text = "";
      child.stdout?.on("data", (chunk: string) => {
        text += chunk;
        if (text.endsWith("}\n")) resolve(JSON.parse(text) as Record<string, unknown>);
      });
      void end.then(({ stderr }) => reject(new Error(`the command ended: ${stderr}`)));
    });
    return { child, said };
  };

  it("serves clients and pushes to an application service until it is asked to stop", async () => {
    const received: string[] = [];
    const service = createServer((request, response) => {
      request.resume().on("end", () => {
        received.push(request.url ?? "");
        response.writeHead(200, { "content-type": "application/json" }).end("{}");
      });
    });
    const [port = 0] = await freePorts(1);
    await new Promise<void>((resolve) => service.listen(port, "127.0.0.1", resolve));
    closers.push(async () => {
      service.closeAllConnections();
      await new Promise((resolve) => service.close(resolve));
    });
    const registration = `id: irc
url: http://127.0.0.1:${port}
as_token: as-token
hs_token: hs-token
sender_localpart: ircbot
rate_limited: false
namespaces: { users: [{ regex: "^@irc_.*:example\\\\.org$", exclusive: true }], aliases: [], rooms: [] }
`;
    await writeFile(join(directory, "registration.yaml"), registration);
    const { child, said } = await run(
      "--server-name",
      "example.org",
      "--profile",
      "spec",
      "--registration",
      "registration.yaml",
      "--user",
      "alice:with:colon",
      "--control-port",
      "0",
    );
    expect(said).toMatchObject({
      serverName: "example.org",
      profile: "spec",
      applicationServices: ["irc"],
      users: ["@alice:example.org"],
    });
    const alice = await TestClient.login(String(said["url"]), "alice", "with:colon");
    const roomId = await alice.createRoom({ preset: "public_chat", invite: ["@ircbot:example.org"] });
    expect(roomId).toMatch(/^![^:]+$/);
    const deadline = performance.now() + patiently(10_000);
    while (!received.some((path) => path.includes("/transactions/"))) {
      if (performance.now() > deadline) throw new Error(`nothing was pushed: ${received.join(", ")}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const faults = await fetch(`${String(said["controlUrl"])}/faults`, { method: "POST", body: "{}" });
    expect(await faults.json()).toMatchObject({ duplicateTransactions: 0, latestVersion: "v1.19" });
    child.kill("SIGTERM");
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
    await expect(alice.whoami()).rejects.toThrow("ECONNREFUSED");
  });

  it("says what to do, to a person", async () => {
    const child = start(directory, ["homeserver", "--port", "0", "--user", "alice:secret"]);
    const end = ended(child);
    closers.push(() => {
      child.kill();
      return end;
    });
    await new Promise<void>((resolve) => {
      let text = "";
      child.stdout?.on("data", (chunk: string) => {
        text += chunk;
        if (text.includes("bridge ")) resolve();
      });
    });
    child.kill("SIGINT");
    const { status, stdout } = await end;
    expect(status).toBe(0);
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(stdout)?.[0];
    expect(stdout).toContain(`curl -X POST ${url}/_matrix/client/v3/register`);
    expect(stdout).toContain("user      alice   password secret");
    expect(stdout).toContain("in memory");
  });

  it("explains what it cannot use", async () => {
    await writeFile(join(directory, "bad.yaml"), "id: x\nurl: null\n");
    const bad = await trestle(directory, "homeserver", "--port", "0", "--registration", "bad.yaml");
    expect([bad.status, bad.stderr]).toEqual([11, expect.stringContaining("bad.yaml: registration.")]);
    const missing = await trestle(directory, "homeserver", "--port", "0", "--registration", "none.yaml");
    expect(missing.status).toBe(11);
    const wrong = await trestle(directory, "homeserver", "--profile", "conduit");
    expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining(profileNames.join(", "))]);
    expect((await trestle(directory, "homeserver", "--port", "0", "--user", "alice")).status).toBe(2);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closers.push(() => new Promise((resolve) => server.close(resolve)));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const taken = await trestle(directory, "homeserver", "--port", String(port));
    expect([taken.status, taken.stderr]).toEqual([15, expect.stringContaining("--port")]);
  });
});
