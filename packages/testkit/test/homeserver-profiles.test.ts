import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { HomeserverOptions, JsonObject, ProfileName, TestClient } from "@trestle/testkit";
import { Homeserver, ManualClock } from "@trestle/testkit";
import type { Received } from "./homeserver-support.js";
import {
  bodiesOf,
  FakeService,
  poll,
  registration,
  ServiceCaller,
  transactionIdOf as idOf,
} from "./homeserver-support.js";

const START = Date.UTC(2026, 0, 1);

describe("profiles of homeservers", () => {
  let service: FakeService;
  let clock: ManualClock;
  let hs: Homeserver;
  let as: ServiceCaller;
  let alice: TestClient;
  let roomId: string;
  let ghost: string;

  beforeEach(async () => {
    service = await FakeService.start();
    clock = new ManualClock(START);
  });
  afterEach(async () => {
    try {
      await hs.stop();
    } finally {
      await service.close();
    }
  });

  /** A homeserver with a room that holds alice and a ghost; what led to it is delivered and forgotten. */
  const open = async (profile: ProfileName, extra: JsonObject = {}, options: HomeserverOptions = {}): Promise<void> => {
    const given = registration(service.url, {
      receive_ephemeral: true,
      ...(profile === "construct" ? constructKeys : {}),
      ...extra,
    });
    hs = await Homeserver.start({ profile, clock, registrations: [given], expectDeviations: true, ...options });
    as = new ServiceCaller(hs, profile === "construct" ? "bridge_as-token" : "as-token");
    alice = hs.createClient("alice");
    roomId = await alice.createRoom({ preset: "public_chat" });
    ghost = await as.ghost("irc_bob", roomId);
    await hs.delivered(serviceId(profile));
    service.received.length = 0;
  };
  const constructKeys = {
    id: "ircbot",
    namespaces: { users: [{ regex: "@irc_*", exclusive: true }], aliases: [], rooms: [] },
  };
  const serviceId = (profile: ProfileName): string => (profile === "construct" ? "ircbot" : "irc");
  const transactions = (): Received[] => service.received.filter(({ path }) => path.includes("/transactions/"));

  it.each<[ProfileName, boolean, boolean]>([
    ["spec", true, false],
    ["synapse", true, false],
    ["dendrite", true, false],
    ["tuwunel", true, true],
    ["construct", false, true],
  ])("%s gives its token in the header: %p, in the query: %p", async (profile, inHeader, inQuery) => {
    await open(profile);
    await alice.sendText(roomId, "x");
    await hs.delivered(serviceId(profile));
    const sent = transactions()[0]!;
    expect(sent.authorization).toBe(inHeader ? "Bearer hs-token" : undefined);
    expect(sent.query.get("access_token")).toBe(inQuery ? "hs-token" : null);
  });

  it.each<[ProfileName, RegExp]>([
    ["spec", /^\d{1,4}$/],
    ["synapse", /^\d{1,4}$/],
    ["dendrite", /^1767225600000\d{6}$/],
    ["tuwunel", /^[\w-]{43}$/],
    ["construct", /^\d{1,4}$/],
  ])("%s names its transactions", async (profile, form) => {
    await open(profile);
    for (const text of ["x", "y"]) {
      await alice.sendText(roomId, text);
      await hs.delivered(serviceId(profile));
    }
    const ids = transactions().map(idOf);
    expect(ids).toHaveLength(2);
    for (const id of ids) expect(id).toMatch(form);
    expect(new Set(ids).size).toBe(2);
    if (profile === "spec" || profile === "synapse") expect(Number(ids[1])).toBe(Number(ids[0]) + 1);
    if (profile === "construct") {
      const positions = hs.room(roomId).timeline().length;
      expect(Number(ids[1])).toBeGreaterThanOrEqual(positions);
    }
  });

  it.each<[ProfileName, readonly number[]]>([
    ["spec", [2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 512]],
    ["synapse", [2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 512]],
    ["dendrite", [2, 4, 8, 16, 32, 64, 64, 64]],
    ["construct", [15, 15, 15, 15]],
  ])("%s retries a failed transaction on schedule", async (profile, seconds) => {
    await open(profile);
    service.answer = () => ({ status: 503 });
    await alice.sendText(roomId, "x");
    await hs.settled();
    for (const [index, pause] of seconds.entries()) {
      expect(transactions()).toHaveLength(index + 1);
      expect(hs.pushState(serviceId(profile))).toMatchObject({ down: true, retryInMs: pause * 1000 });
      await hs.advance(pause * 1000 - 1);
      expect(transactions()).toHaveLength(index + 1);
      await hs.advance(1);
    }
    expect(new Set(transactions().map(idOf)).size).toBe(1);
    service.answer = () => undefined;
    await hs.advance(512_000);
    expect(hs.pushState(serviceId(profile))).toMatchObject({ down: false, pending: 0 });
  });

  it("tuwunel retries with the next event, not after a time", async () => {
    await open("tuwunel");
    service.answer = () => ({ status: 503 });
    await alice.sendText(roomId, "x");
    await hs.settled();
    await hs.advance(24 * 3_600_000);
    expect(transactions()).toHaveLength(1);
    service.answer = () => undefined;
    await alice.sendText(roomId, "y");
    await hs.delivered("irc");
    expect(transactions().map(bodiesOf)).toEqual([["x"], ["x"], ["y"]]);
    expect(new Set(transactions().map(idOf)).size).toBe(2);
  });

  it.each<[ProfileName, readonly (readonly string[])[]]>([
    ["spec", [["a"], ["a"], ["b", "c"]]],
    ["synapse", [["a"], ["a"], ["b"], ["c"]]],
    ["dendrite", [["a"], ["a", "b", "c"]]],
    ["construct", [["a"], ["a", "b", "c"]]],
  ])("%s delivers what came during an outage in its own way", async (profile, expected) => {
    await open(profile);
    service.answer = () => ({ status: 503 });
    await alice.sendText(roomId, "a");
    await hs.settled();
    for (const text of ["b", "c"]) await alice.sendText(roomId, text);
    service.answer = () => undefined;
    await hs.advance(15_000);
    expect(transactions().map(bodiesOf)).toEqual(expected);
  });

  it.each<[ProfileName, boolean]>([
    ["spec", false],
    ["synapse", false],
    ["construct", true],
  ])("%s forgets at a restart what was not delivered: %p", async (profile, forgets) => {
    await open(profile);
    service.answer = () => ({ status: 503 });
    await alice.sendText(roomId, "a");
    await hs.settled();
    service.answer = () => undefined;
    service.received.length = 0;
    await hs.restart();
    await hs.delivered(serviceId(profile));
    expect(transactions().flatMap(bodiesOf)).toEqual(forgets ? [] : ["a"]);
  });

  it.each<[ProfileName, number]>([
    ["spec", 100],
    ["synapse", 100],
    ["dendrite", 50],
    ["tuwunel", 48],
  ])("%s puts at most %p events into a transaction", async (profile, most) => {
    await open(profile);
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    service.answer = async () => gate.then(() => undefined);
    await Promise.all(Array.from({ length: most + 10 }, (_, index) => alice.sendText(roomId, String(index))));
    release();
    await hs.delivered("irc");
    expect(Math.max(...transactions().map((sent) => bodiesOf(sent).length))).toBe(most);
    expect(transactions().flatMap(bodiesOf)).toHaveLength(most + 10);
  });

  it("construct fills a transaction to 512 KiB", async () => {
    await open("construct");
    service.answer = () => ({ status: 503 });
    for (let index = 0; index < 12; index++) await alice.sendText(roomId, "x".repeat(60_000));
    service.answer = () => undefined;
    await hs.advance(30_000);
    await hs.delivered("ircbot");
    const sizes = transactions().map((sent) => bodiesOf(sent).length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThanOrEqual(12);
    expect(Math.max(...sizes)).toBeLessThan(12);
  });

  it.each<[ProfileName, number, string | undefined, boolean]>([
    ["spec", 204, "", true],
    ["synapse", 204, "", false],
    ["synapse", 200, "OK", false],
    ["synapse", 202, "{}", true],
    ["dendrite", 202, "{}", false],
    ["dendrite", 200, "OK", true],
    ["tuwunel", 200, "OK", false],
    ["construct", 204, "", true],
  ])("%s takes an answer of %p %j for success: %p", async (profile, status, text, success) => {
    await open(profile);
    service.answer = () => ({ status, ...(text === undefined ? {} : { text }) });
    await alice.sendText(roomId, "x");
    await hs.settled();
    expect(hs.pushState(serviceId(profile)).down).toBe(!success);
  });

  it.each<[ProfileName, number]>([
    ["spec", 60_000],
    ["synapse", 60_000],
    ["dendrite", 30_000],
    ["construct", 10_000],
  ])("%s waits %p ms for an answer, then sends the same again", async (profile, timeout) => {
    await open(profile);
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    let held = true;
    service.answer = async () => (held ? gate.then(() => undefined) : undefined);
    await alice.sendText(roomId, "slow");
    await poll(() => transactions().length === 1);
    clock.advance(timeout - 1);
    expect(hs.pushState(serviceId(profile)).down).toBe(false);
    held = false;
    clock.advance(1);
    await hs.settled();
    expect(hs.pushState(serviceId(profile)).down).toBe(true);
    await hs.advance(15_000);
    release();
    expect(transactions().map(idOf)).toHaveLength(2);
    expect(new Set(transactions().map(idOf)).size).toBe(1);
  });

  it.each<[ProfileName, JsonObject, readonly string[]]>([
    ["spec", {}, ["ephemeral"]],
    ["synapse", {}, ["ephemeral"]],
    ["synapse", { "de.sorunome.msc2409.push_ephemeral": true }, ["ephemeral", "de.sorunome.msc2409.ephemeral"]],
    [
      "synapse",
      { receive_ephemeral: false, "de.sorunome.msc2409.push_ephemeral": true },
      ["de.sorunome.msc2409.ephemeral"],
    ],
    ["tuwunel", {}, ["ephemeral"]],
    ["dendrite", {}, []],
    ["construct", {}, []],
  ])("%s with %j carries typing under %j", async (profile, extra, names) => {
    await open(profile, extra);
    await alice.setTyping(roomId, true);
    await hs.delivered(serviceId(profile));
    const keys = transactions().flatMap(({ body }) => Object.keys(body));
    expect(keys.filter((key) => key.includes("ephemeral"))).toEqual(names);
  });

  it.each<[ProfileName, boolean]>([
    ["synapse", false],
    ["spec", true],
    ["tuwunel", true],
  ])("%s keeps ephemeral events for a retry: %p", async (profile, keeps) => {
    await open(profile);
    service.answer = () => ({ status: 503 });
    await alice.setTyping(roomId, true);
    await hs.settled();
    service.answer = () => undefined;
    await alice.sendText(roomId, "x");
    await hs.advance(10_000);
    await hs.delivered("irc");
    const accepted = transactions().slice(1);
    expect(accepted.some(({ body }) => "ephemeral" in body)).toBe(keeps);
    expect(accepted.flatMap(bodiesOf)).toContain("x");
  });

  it.each<[ProfileName, boolean]>([
    ["spec", false],
    ["synapse", true],
    ["tuwunel", false],
  ])("%s lets private receipts out: %p", async (profile, leaks) => {
    await open(profile);
    const eventId = await alice.sendText(roomId, "x");
    await alice.sendReceipt(roomId, eventId, "m.read.private");
    await hs.delivered("irc");
    expect(JSON.stringify(transactions().map(({ body }) => body)).includes("m.read.private")).toBe(leaks);
  });

  it.each<[ProfileName, number, boolean]>([
    ["spec", 200, false],
    ["synapse", 200, true],
    ["tuwunel", 200, true],
    ["dendrite", 404, false],
    ["construct", 404, false],
  ])("%s answers a ping %p and retries then: %p", async (profile, status, retries) => {
    await open(profile);
    service.answer = ({ path }) => (path.endsWith("/ping") ? undefined : { status: 503 });
    await alice.sendText(roomId, "x");
    await hs.settled();
    const answer = await as.call("POST", `/_matrix/client/v1/appservice/${serviceId(profile)}/ping`, { body: {} });
    expect(answer.status).toBe(status);
    await hs.settled();
    expect(transactions()).toHaveLength(retries ? 2 : 1);
  });

  it.each<[ProfileName, number, string | undefined]>([
    ["spec", 2, undefined],
    ["synapse", 1, undefined],
    ["dendrite", 1, undefined],
    ["tuwunel", 2, undefined],
    ["construct", 2, undefined],
  ])("%s makes of one transaction id of two ghosts %p events", async (profile, events) => {
    await open(profile);
    const other = await as.ghost("irc_carol", roomId);
    await as.send(roomId, ghost, "one", "same");
    await as.send(roomId, other, "two", "same");
    expect(hs.room(roomId).messages()).toHaveLength(events);
  });

  it.each<[ProfileName, number]>([
    ["spec", 2],
    ["synapse", 2],
    ["dendrite", 2],
    ["tuwunel", 1],
    ["construct", 1],
  ])("%s makes of one transaction id in two rooms %p events", async (profile, events) => {
    await open(profile);
    const elsewhere = await alice.createRoom({ preset: "public_chat" });
    await as.call("POST", `/_matrix/client/v3/join/${encodeURIComponent(elsewhere)}`, { body: {}, as: ghost });
    await as.send(roomId, ghost, "one", "same");
    const second = await as.send(elsewhere, ghost, "two", "same");
    if (profile === "construct") {
      expect(second).toMatchObject({ status: 409, body: { errcode: "M_DUPLICATE_TXNID" } });
    }
    expect([...hs.room(roomId).messages(), ...hs.room(elsewhere).messages()]).toHaveLength(events);
  });

  it.each<[ProfileName, number, number | undefined]>([
    ["spec", 60, 121],
    ["synapse", 30, 61],
    ["dendrite", 30, 61],
    ["tuwunel", 100_000, undefined],
  ])("%s knows a client transaction for %p minutes, and not after %p", async (profile, known, forgotten) => {
    await open(profile);
    const first = await as.send(roomId, ghost, "x", "t");
    await hs.advance(known * 60_000 - 60_000);
    expect((await as.send(roomId, ghost, "x", "t")).body).toEqual(first.body);
    if (forgotten === undefined) return;
    await hs.advance((forgotten - known + 1) * 60_000);
    expect((await as.send(roomId, ghost, "x", "t")).body).not.toEqual(first.body);
  });

  it.each<[ProfileName, string, boolean]>([
    ["synapse", "x_irc_a", false],
    ["dendrite", "x_irc_a", true],
    ["tuwunel", "x_irc_a", true],
    ["construct", "x_irc_a", false],
  ])("%s finds '%s' in the namespace irc_: %p", async (profile, localpart, found) => {
    const regex = profile === "construct" ? "@irc_*" : profile === "synapse" ? "@irc_.*" : "irc_.*";
    await open(profile, { namespaces: { users: [{ regex, exclusive: false }], aliases: [], rooms: [] } });
    const body = { type: "m.login.application_service", username: localpart, inhibit_login: true };
    const answer = await as.call("POST", "/_matrix/client/v3/register", { body });
    expect(answer.body["errcode"]).toBe(found ? undefined : "M_EXCLUSIVE");
  });

  it.each<[ProfileName, string, string]>([
    ["synapse", "irc_Upper Case", "@irc_Upper Case:localhost.test"],
    ["spec", "irc_Upper", "M_INVALID_USERNAME"],
    ["dendrite", "irc_Upper", "M_INVALID_USERNAME"],
    ["tuwunel", "irc_Upper", "@irc_upper:localhost.test"],
    ["tuwunel", "irc_a b", "M_INVALID_USERNAME"],
  ])("%s makes of the ghost '%s' %s", async (profile, localpart, expected) => {
    await open(profile);
    const body = { type: "m.login.application_service", username: localpart, inhibit_login: true };
    const answer = await as.call("POST", "/_matrix/client/v3/register", { body });
    expect(answer.body["user_id"] ?? answer.body["errcode"]).toBe(expected);
  });

  it.each<[ProfileName, number, string | undefined]>([
    ["spec", 400, "M_UNKNOWN_DEVICE"],
    ["synapse", 400, "ORG.MATRIX.MSC4326.M_UNKNOWN_DEVICE"],
    ["tuwunel", 400, "M_INVALID_PARAM"],
    ["dendrite", 200, undefined],
  ])("%s answers an unknown device with %p %s", async (profile, status, errcode) => {
    await open(profile);
    const answer = await as.call("GET", "/_matrix/client/v3/account/whoami", { as: ghost, query: { device_id: "X" } });
    expect([answer.status, answer.body["errcode"]]).toEqual([status, errcode]);
  });

  it.each<[ProfileName, number]>([
    ["spec", 403],
    ["construct", 200],
  ])("%s answers a masquerade outside of the namespace with %p", async (profile, status) => {
    await open(profile);
    expect((await as.call("GET", "/_matrix/client/v3/account/whoami", { as: alice.userId })).status).toBe(status);
  });

  it.each<[ProfileName, number]>([
    ["synapse", 200],
    ["dendrite", 403],
    ["tuwunel", 403],
  ])("%s answers joined_members for a sender outside of the room with %p", async (profile, status) => {
    await open(profile);
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/joined_members`;
    expect((await as.call("GET", path)).status).toBe(status);
  });

  it.each<[ProfileName, string, boolean, number]>([
    ["spec", "v1.19", true, 200],
    ["synapse", "v1.12", true, 200],
    ["dendrite", "v1.2", false, 404],
    ["tuwunel", "v1.19", true, 200],
    ["construct", "v1.6", false, 404],
  ])(
    "%s names versions up to %s, has room version 12: %p, and async uploads: %p",
    async (profile, latest, has12, create) => {
      await open(profile);
      const { versions } = await alice.request("GET", "/_matrix/client/versions");
      expect(Array.isArray(versions) ? versions.at(-1) : undefined).toBe(latest);
      const made = alice.createRoom({ room_version: "12" });
      await (has12
        ? expect(made).resolves.toMatch(/^![^:]+$/)
        : expect(made).rejects.toMatchObject({ errcode: "M_UNSUPPORTED_ROOM_VERSION" }));
      expect((await alice.exchange("POST", "/_matrix/media/v1/create")).status).toBe(create);
    },
  );
});
