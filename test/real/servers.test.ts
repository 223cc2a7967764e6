import { afterEach, expect, it, jest } from "@jest/globals";
import { IrcPerson } from "../support/irc-person.js";
import { realServer } from "../support/servers/index.js";
import { startInspircd } from "../support/servers/inspircd.js";
import type { LaunchedServer } from "../support/servers/launched-server.js";
import { startNgircd } from "../support/servers/ngircd.js";
import { Synapse } from "../support/servers/synapse.js";

// The waits inside are shorter and say what they waited for.
jest.setTimeout(90_000);

const started: { stop(): Promise<void> }[] = [];
const people: IrcPerson[] = [];

afterEach(async () => {
  await Promise.allSettled(people.splice(0).map((person) => person.quit()));
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

async function person(server: LaunchedServer, nick: string, capabilities?: readonly string[]): Promise<IrcPerson> {
  const connected = await IrcPerson.connect({ port: server.port, nick, ...(capabilities ? { capabilities } : {}) });
  people.push(connected);
  return connected;
}

async function conversation(server: LaunchedServer): Promise<void> {
  const ann = await person(server, "ann");
  const bob = await person(server, "bob");
  await ann.join("#test");
  await bob.join("#test");
  ann.say("#test", "hello, bob");
  expect(await bob.waitForUtterance("a greeting", ({ from }) => from === "ann")).toMatchObject({
    kind: "text",
    target: "#test",
    text: "hello, bob",
  });
  bob.action("#test", "waves");
  expect(await ann.waitForUtterance("a wave", ({ from }) => from === "bob")).toMatchObject({
    kind: "action",
    text: "waves",
  });
  await ann.topic("#test", "tests");
  await bob.waitForLine("the topic", (line) => line.command === "TOPIC" && line.params[1] === "tests");
  await bob.rename("robert");
  expect([...(await ann.names("#test"))].sort()).toEqual(["ann", "robert"]);
}

const inspircd = await realServer("inspircd");
inspircd.describe("InspIRCd", (install) => {
  it("starts, carries a conversation with the tags of IRCv3, and stops", async () => {
    const server = await startInspircd(install);
    started.push(server);
    await conversation(server);
    const eve = await person(server, "eve", [
      "message-tags",
      "server-time",
      "echo-message",
      "labeled-response",
      "batch",
    ]);
    await eve.join("#test");
    eve.send("@label=one PRIVMSG #test :told back");
    const echo = await eve.waitForLine(
      "the echo",
      (line) => line.command === "PRIVMSG" && line.tags.get("label") === "one",
    );
    expect(echo.tags.get("msgid")).toMatch(/./);
    expect(echo.tags.get("time")).toMatch(/^\d{4}-\d\d-\d\dT/);
    await server.stop();
    expect(server.running).toBe(false);
  });

  it("does not slow a client down where the test did not ask for it", async () => {
    const server = await startInspircd(install);
    started.push(server);
    const [ann, bob] = [await person(server, "ann"), await person(server, "bob")];
    await ann.join("#test");
    await bob.join("#test");
    for (let index = 0; index < 500; index++) ann.say("#test", `line ${index}`);
    const lines = await bob.waitForCount(500, "lines", ({ from }) => from === "ann");
    expect(lines.map(({ text }) => text)).toEqual(Array.from({ length: 500 }, (_, index) => `line ${index}`));
  });

  it("speaks TLS with a certificate of its own", async () => {
    const server = await startInspircd(install, { tls: true });
    started.push(server);
    if (!server.tls) throw new Error("It has no TLS port.");
    const ann = await IrcPerson.connect({ port: server.tls.port, nick: "ann", ca: server.tls.certificate.pem });
    people.push(ann);
    await ann.join("#test");
    expect(await ann.names("#test")).toEqual(["ann"]);
  });

  it("comes back on its port after SIGKILL", async () => {
    const server = await startInspircd(install);
    started.push(server);
    const ann = await person(server, "ann");
    await server.kill();
    await expect(ann.waitForLine("anything", () => false)).rejects.toThrow("closed");
    await server.start();
    await conversation(server);
  });
});

const ngircd = await realServer("ngircd");
ngircd.describe("ngIRCd", (install) => {
  it("starts, carries a conversation, restarts and stops", async () => {
    const server = await startNgircd(install);
    started.push(server);
    await conversation(server);
    await server.restart();
    await conversation(server);
    await server.stop();
    expect(server.running).toBe(false);
  });

  it("does not slow a client down where the test did not ask for it", async () => {
    const server = await startNgircd(install);
    started.push(server);
    const [ann, bob] = [await person(server, "ann"), await person(server, "bob")];
    await ann.join("#test");
    await bob.join("#test");
    for (let index = 0; index < 100; index++) ann.say("#test", `line ${index}`);
    await bob.waitForCount(100, "lines", ({ from }) => from === "ann", 10_000);
  });
});

const synapse = await realServer("synapse");
synapse.describe("Synapse", (install) => {
  it("starts, registers a user, keeps them over a restart and over SIGKILL, and stops", async () => {
    const server = await Synapse.start(install);
    started.push(server);
    const user = await server.registerUser("ann");
    const whoami = async () => {
      const response = await fetch(`${server.url}/_matrix/client/v3/account/whoami`, {
        headers: { authorization: `Bearer ${user.accessToken}` },
      });
      return response.json();
    };
    expect(await whoami()).toMatchObject({ user_id: "@ann:trestle.test" });
    await server.restart();
    expect(await whoami()).toMatchObject({ user_id: "@ann:trestle.test" });
    await server.kill();
    expect(server.running).toBe(false);
    await server.start();
    expect(await whoami()).toMatchObject({ user_id: "@ann:trestle.test" });
    await server.stop();
    expect(server.running).toBe(false);
  });

  it("takes a registration of an application service", async () => {
    const registration = {
      id: "test",
      url: null,
      as_token: "as-secret",
      hs_token: "hs-secret",
      sender_localpart: "bot",
      rate_limited: false,
      namespaces: { users: [{ regex: "^@test_.*:trestle\\.test$", exclusive: true }], aliases: [], rooms: [] },
    };
    const server = await Synapse.start(install, { registrations: [JSON.stringify(registration)] });
    started.push(server);
    const response = await fetch(`${server.url}/_matrix/client/v3/account/whoami`, {
      headers: { authorization: "Bearer as-secret" },
    });
    expect(await response.json()).toMatchObject({ user_id: "@bot:trestle.test" });
  });

  it("says what Synapse said when it does not start", async () => {
    await expect(Synapse.start(install, { registrations: ["not: a registration"] })).rejects.toThrow(
      /instead of starting[^]*(as_token|hs_token|id)/,
    );
  });
});
