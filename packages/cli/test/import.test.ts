import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ImportReport, LinkView } from "@trestle/core";
import { formatRegistration, generateRegistration } from "@trestle/core";
import { ended, freePorts, start, trestle, workplace, written } from "./support/cli.js";

// Each test starts several processes, one after the other.
jest.setTimeout(120_000);

let directory: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  ({ directory, remove } = await workplace());
  await configure("slack_", ["slack"]);
  await old();
});
afterEach(() => remove());

/** Bridges to Slack by webhooks: they need no Slack to start. */
async function configure(prefix: string, names: readonly string[]): Promise<void> {
  const [listen = 0, operations = 0] = await freePorts(2);
  for (const name of names) {
    const registration = generateRegistration({
      id: name,
      url: `http://127.0.0.1:${listen}`,
      serverName: "example.org",
      prefix: name === "slack" ? prefix : `${name}_`,
      botLocalpart: `${name}bot`,
    });
    await writeFile(join(directory, `registration-${name}.yaml`), formatRegistration(registration));
  }
  const config = {
    homeserver: { url: "http://127.0.0.1:1", name: "example.org" },
    listen: { port: listen },
    operations: { port: operations },
    dataDirectory: "data",
    permissions: { "*": "user" },
    bridges: names.map((name) => ({
      name,
      connector: "slack",
      registration: `registration-${name}.yaml`,
      commandPrefix: `!${name}`,
      network: { mode: "webhook", webhooks: [{ channel: name, url: "http://127.0.0.1:1/" }] },
    })),
  };
  await writeFile(join(directory, "trestle.yaml"), JSON.stringify(config));
}

/** The files of a matrix-appservice-slack. */
async function old(): Promise<void> {
  await mkdir(join(directory, "old"));
  const documents = {
    "teams.db": { id: "T0ACME001", domain: "acme", user_id: "U0OLDBOT1" },
    "room-store.db": {
      id: "INTEG-aaa",
      matrix_id: "!general:example.org",
      remote_id: "aaa",
      remote: { id: "C0GENERAL", name: "general", slack_team_id: "T0ACME001", slack_type: "channel" },
    },
    "user-store.db": { id: "@slack_acme_U0BOB0001:example.org", slack_id: "U0BOB0001", team_id: "T0ACME001" },
    "event-store.db": {
      matrix: { roomId: "!general:example.org", eventId: "$one" },
      remote: { roomId: "C0GENERAL", eventId: "1700000001.000100" },
      extras: {},
    },
  };
  for (const [name, document] of Object.entries(documents))
    await writeFile(join(directory, "old", name), `${JSON.stringify({ ...document, _id: "x" })}\n`);
}

function importing(...options: readonly string[]): ReturnType<typeof trestle> {
  return trestle(directory, "import", "matrix-appservice-slack", "old", ...options);
}

describe("trestle import", () => {
  it("says what it would write, then writes it, and the second time nothing", async () => {
    const dry = await importing();
    expect(dry.status).toBe(0);
    expect(dry.stdout).toMatch(
      /^WHAT +TO WRITE +THERE ALREADY\nlinks +1 +0\nghosts +1 +0\nmessages +1 +0\nreactions +0 +0$/m,
    );
    expect(dry.stdout).toContain("acme.slack.com (T0ACME001)");
    expect(dry.stdout).toContain("Nothing was written. Write it with --apply.");
    expect(await readdir(directory)).not.toContain("data");

    const applied = await importing("--apply");
    expect([applied.status, applied.stdout]).toEqual([0, expect.stringContaining("Written to the bridge slack.")]);
    const links = JSON.parse((await trestle(directory, "list", "--json")).stdout) as LinkView[];
    expect(links).toMatchObject([
      { room: "!general:example.org", channel: "T0ACME001/C0GENERAL", channelName: "#general" },
    ]);

    const again = JSON.parse((await importing("--apply", "--json")).stdout) as ImportReport;
    expect(again).toMatchObject({ applied: true, links: { added: 0, present: 1 }, messages: { added: 0, present: 1 } });
  });

  it("refuses while Trestle runs", async () => {
    const child = start(directory, ["run"]);
    const gone = ended(child);
    try {
      await written(child, /Trestle is running/);
      for (const options of [[], ["--apply"]]) {
        const refused = await importing(...options);
        expect([refused.status, refused.stderr]).toEqual([13, expect.stringContaining("Another Trestle is running")]);
      }
    } finally {
      child.kill("SIGKILL");
      await gone;
    }
  });

  it("writes nothing while the registration does not cover the ghosts", async () => {
    await configure("other_", ["slack"]);
    const refused = await importing("--apply");
    expect(refused.status).toBe(30);
    expect(refused.stdout).toContain("@slack_acme_U0BOB0001:example.org");
    expect(refused.stdout).toContain("namespaces.users");
    expect(refused.stdout).toContain("Mend what is in the way");
    await configure("slack_", ["slack"]);
    const report = JSON.parse((await importing("--apply", "--json")).stdout) as ImportReport;
    expect(report).toMatchObject({ ghosts: { added: 1, present: 0 }, messages: { added: 1, present: 0 } });
  });

  it("wants to know which bridge takes over where several could", async () => {
    await configure("slack_", ["slack", "second"]);
    const unclear = await importing();
    expect([unclear.status, unclear.stderr]).toEqual([2, expect.stringContaining("Say which with --bridge.")]);
    expect((await importing("--bridge", "slack")).status).toBe(0);
    const nobody = await importing("--bridge", "third");
    expect([nobody.status, nobody.stderr]).toEqual([2, expect.stringContaining("There is no bridge third")]);
  });

  it("says what it can import, and what a source is not", async () => {
    const unknown = await trestle(directory, "import", "matrix-bifrost", "old");
    expect([unknown.status, unknown.stderr]).toEqual([
      2,
      expect.stringContaining("They can import: matrix-appservice-slack."),
    ]);
    await rm(join(directory, "old", "room-store.db"));
    const other = await importing("--apply");
    expect([other.status, other.stderr]).toEqual([21, expect.stringContaining("There is no room-store.db in old")]);
  });
});
