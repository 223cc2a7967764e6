import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { TestClient } from "@trestle/testkit";
import { Homeserver } from "@trestle/testkit";
import { content, FakeService, list, poll, record, registration, ServiceCaller } from "./homeserver-support.js";

const PING = "/_matrix/client/v1/appservice/irc/ping";

describe("an application service", () => {
  let service: FakeService;
  let hs: Homeserver;
  let as: ServiceCaller;
  let alice: TestClient;

  beforeEach(async () => {
    service = await FakeService.start();
    hs = await Homeserver.start({ registrations: [registration(service.url, { receive_ephemeral: true })] });
    as = new ServiceCaller(hs);
    alice = hs.createClient("alice");
  });
  afterEach(async () => {
    try {
      await hs.stop();
    } finally {
      await service.close();
    }
  });

  it("registers ghosts of its namespace, once", async () => {
    const path = "/_matrix/client/v3/register";
    const body = { type: "m.login.application_service", username: "irc_bob", inhibit_login: true };
    const answers = await Promise.all(Array.from({ length: 10 }, () => as.call("POST", path, { body })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(
      answers.filter((answer) => answer.status === 400 && answer.body["errcode"] === "M_USER_IN_USE"),
    ).toHaveLength(9);
    const outside = await as.call("POST", path, { body: { ...body, username: "someone" } });
    expect(outside).toMatchObject({ status: 400, body: { errcode: "M_EXCLUSIVE" } });
    const withLogin = await as.call("POST", path, { body: { type: body.type, username: "irc_eve" } });
    expect(withLogin.body).toMatchObject({ user_id: "@irc_eve:localhost.test" });
    expect(typeof withLogin.body["access_token"]).toBe("string");
    const stolen = await fetch(`${hs.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username: "irc_thief", auth: { type: "m.login.dummy" } }),
    });
    expect([stolen.status, record(await stolen.json())["errcode"]]).toEqual([400, "M_EXCLUSIVE"]);
  });

  it("speaks as registered users of its namespace only", async () => {
    const whoami = "/_matrix/client/v3/account/whoami";
    expect((await as.call("GET", whoami)).body["user_id"]).toBe("@ircbot:localhost.test");
    const ghost = await as.ghost("irc_bob");
    expect((await as.call("GET", whoami, { as: ghost })).body["user_id"]).toBe(ghost);
    expect(await as.call("GET", whoami, { as: "@irc_new:localhost.test" })).toMatchObject({
      status: 403,
      body: { errcode: "M_FORBIDDEN" },
    });
    expect(await as.call("GET", whoami, { as: alice.userId })).toMatchObject({
      status: 403,
      body: { errcode: "M_FORBIDDEN" },
    });
    const strange = new ServiceCaller(hs, "no-such-token");
    expect(await strange.call("GET", whoami)).toMatchObject({ status: 401, body: { errcode: "M_UNKNOWN_TOKEN" } });
  });

  it("refuses a token in header and query at once, as Synapse does", async () => {
    const answer = await as.call("GET", "/_matrix/client/v3/account/whoami", { query: { access_token: "as-token" } });
    expect(answer).toMatchObject({ status: 401, body: { errcode: "M_MISSING_TOKEN" } });
    const inQuery = await fetch(`${hs.url}/_matrix/client/v3/account/whoami?access_token=as-token`);
    expect(inQuery.status).toBe(200);
  });

  it("may set the time of events, which ordinary users may not", async () => {
    const roomId = await alice.createRoom({ preset: "public_chat" });
    const ghost = await as.ghost("irc_bob", roomId);
    await as.send(roomId, ghost, "old", "t1", { ts: "1234567890" });
    expect(hs.room(roomId).messages()[0]!["origin_server_ts"]).toBe(1234567890);
    const negative = await as.send(roomId, ghost, "old", "t2", { ts: "-5" });
    expect(negative.status).toBe(400);
    expect(hs.clearSpecDeviations()).toEqual([]);
  });

  it("creates devices and acts as them", async () => {
    const ghost = await as.ghost("irc_bob");
    const path = "/_matrix/client/v3/devices/BRIDGE";
    expect((await as.call("PUT", path, { as: ghost, body: { display_name: "Bridge" } })).status).toBe(201);
    expect((await as.call("PUT", path, { as: ghost, body: {} })).status).toBe(200);
    const whoami = "/_matrix/client/v3/account/whoami";
    const known = await as.call("GET", whoami, { as: ghost, query: { device_id: "BRIDGE" } });
    expect(known.body["device_id"]).toBe("BRIDGE");
    const unknown = await as.call("GET", whoami, { as: ghost, query: { device_id: "OTHER" } });
    expect(unknown).toMatchObject({ status: 400, body: { errcode: "ORG.MATRIX.MSC4326.M_UNKNOWN_DEVICE" } });
    const keys = await as.call("POST", "/_matrix/client/v3/keys/upload", {
      as: ghost,
      body: {},
      query: { device_id: "BRIDGE" },
    });
    expect(keys.body["one_time_key_counts"]).toEqual({ signed_curve25519: 0 });
    expect((await as.call("POST", "/_matrix/client/v3/keys/upload", { as: ghost, body: {} })).status).toBe(400);
    expect((await as.call("DELETE", path, { as: ghost, body: {} })).status).toBe(200);
  });

  it("receives the events of its rooms in order, and its own as well", async () => {
    const roomId = await alice.createRoom({ preset: "public_chat" });
    await alice.sendText(roomId, "nobody of the bridge is here");
    const ghost = await as.ghost("irc_bob", roomId);
    for (let index = 0; index < 20; index++) await alice.sendText(roomId, String(index));
    await as.send(roomId, ghost, "echo", "t1");
    await service.until(() => service.bodies.includes("echo"));
    expect(service.bodies).toEqual([...Array.from({ length: 20 }, (_, index) => String(index)), "echo"]);
    const ids = service.transactions.map(({ id }) => Number(id));
    expect(ids).toEqual(ids.map((_, index) => index + 1));
    expect(service.received.every(({ authorization }) => authorization === "Bearer hs-token")).toBe(true);
    expect(service.events.at(-1)).toMatchObject({ sender: ghost, room_id: roomId, user_id: ghost });
    await as.call("POST", `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/leave`, { body: {}, as: ghost });
    await service.until(() => service.events.some((event) => content(event)["membership"] === "leave"));
    await alice.sendText(roomId, "gone");
    await hs.delivered("irc");
    expect(service.bodies).not.toContain("gone");
  });

  it("has one transaction in flight with at most 100 events", async () => {
    const roomId = await alice.createRoom({ preset: "public_chat" });
    await as.ghost("irc_bob", roomId);
    await hs.delivered("irc");
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    let inFlight = 0;
    let most = 0;
    service.answer = async () => {
      most = Math.max(most, ++inFlight);
      await gate;
      inFlight--;
      return undefined;
    };
    await Promise.all(Array.from({ length: 150 }, (_, index) => alice.sendText(roomId, String(index))));
    release();
    await hs.delivered("irc");
    expect(service.bodies).toHaveLength(150);
    expect(most).toBe(1);
    expect(Math.max(...service.transactions.map(({ events }) => events.length))).toBe(100);
    expect(new Set(service.bodies).size).toBe(150);
  });

  it("retries the same transaction until it is accepted with JSON, then drains in order", async () => {
    const roomId = await alice.createRoom({ preset: "public_chat" });
    await as.ghost("irc_bob", roomId);
    await service.until(() => service.transactions.length === 1);
    let failures = 0;
    const answers = [{ status: 500 }, { status: 200, text: "OK" }, { status: 503 }];
    service.answer = () => answers[failures++];
    for (let index = 0; index < 5; index++) await alice.sendText(roomId, String(index));
    await service.until(() => service.bodies.includes("4"));
    const tries = service.transactions.slice(1, 5);
    expect(new Set(tries.map(({ id }) => id)).size).toBe(1);
    expect(
      tries.every(
        (each) =>
          JSON.stringify(each.events.map((event) => event["event_id"])) ===
          JSON.stringify(tries[0]!.events.map((event) => event["event_id"])),
      ),
    ).toBe(true);
    const accepted = new Map(service.transactions.map((each) => [each.id, each.events]));
    const bodies = [...accepted.values()].flat().map((event) => content(event)["body"]);
    expect(bodies.filter((body) => body !== undefined)).toEqual(["0", "1", "2", "3", "4"]);
    expect(hs.pushState("irc").down).toBe(false);
    hs.clearSpecDeviations();
  });

  it("gets typing, receipts and presence, but not private receipts, and none after an outage", async () => {
    const roomId = await alice.createRoom({ preset: "public_chat" });
    const ghost = await as.ghost("irc_bob", roomId);
    const eventId = await alice.sendText(roomId, "hi");
    hs.faults.leakPrivateReceipts = false;
    await alice.setTyping(roomId, true);
    await service.until(() => service.ephemeral.some((event) => event["type"] === "m.typing"));
    expect(service.ephemeral[0]).toEqual({ type: "m.typing", room_id: roomId, content: { user_ids: [alice.userId] } });
    await alice.sendReceipt(roomId, eventId, "m.read.private");
    await alice.sendReceipt(roomId, eventId);
    await alice.request("PUT", `/_matrix/client/v3/presence/${encodeURIComponent(alice.userId)}/status`, {
      body: { presence: "online", status_msg: "here" },
    });
    await service.until(() => service.ephemeral.some((event) => event["type"] === "m.presence"));
    const receipts = service.ephemeral.filter((event) => event["type"] === "m.receipt");
    expect(receipts).toHaveLength(1);
    expect(content(receipts[0])).toMatchObject({ [eventId]: { "m.read": { [alice.userId]: {} } } });
    expect(service.transactions.every(({ unstableEphemeral }) => unstableEphemeral === undefined)).toBe(true);

    hs.faults.leakPrivateReceipts = true;
    await alice.sendReceipt(roomId, eventId, "m.read.private");
    await service.until(() => JSON.stringify(service.ephemeral).includes("m.read.private"));

    service.answer = () => ({ status: 500 });
    await alice.sendText(roomId, "down");
    await poll(() => hs.pushState("irc").down);
    const before = service.ephemeral.length;
    await alice.setTyping(roomId, false);
    service.answer = () => undefined;
    await as.call("POST", PING, { body: {} });
    await hs.delivered("irc");
    expect(service.bodies).toContain("down");
    expect(service.ephemeral).toHaveLength(before);
    expect(hs.room(roomId).joined()).toContain(ghost);
    hs.clearSpecDeviations();
  });

  it("delivers the backlog at once after a ping", async () => {
    await hs.stop();
    hs = await Homeserver.start({
      registrations: [registration(service.url)],
      retry: { firstMs: 600_000, maxMs: 600_000 },
    });
    as = new ServiceCaller(hs);
    alice = hs.createClient("alice");
    const roomId = await alice.createRoom({ preset: "public_chat" });
    await as.ghost("irc_bob", roomId);
    await hs.delivered("irc");
    await service.close();
    for (let index = 0; index < 3; index++) await alice.sendText(roomId, String(index));
    const failed = await as.call("POST", PING, { body: { transaction_id: "p1" } });
    expect(failed).toMatchObject({ status: 502, body: { errcode: "M_CONNECTION_FAILED" } });
    await service.listen();
    const answer = await as.call("POST", PING, { body: { transaction_id: "p2" } });
    expect(answer.status).toBe(200);
    expect(typeof answer.body["duration_ms"]).toBe("number");
    await service.until(() => service.bodies.length === 3);
    expect(service.bodies).toEqual(["0", "1", "2"]);
    expect(service.received.find(({ path }) => path.endsWith("/ping"))!.body).toEqual({ transaction_id: "p2" });
    // The first three events were each a transaction of their own, as it was down.
    expect(service.transactions.filter(({ events }) => events[0]!["type"] === "m.room.message").length).toBeGreaterThan(
      1,
    );
  });

  it("says what the ping met", async () => {
    service.answer = () => ({ status: 418, text: '{"errcode":"M_TEAPOT"}' });
    expect(await as.call("POST", PING, { body: {} })).toMatchObject({
      status: 502,
      body: { errcode: "M_BAD_STATUS", status: 418, body: '{"errcode":"M_TEAPOT"}' },
    });
    expect(await as.call("POST", PING.replace("irc", "other"), { body: {} })).toMatchObject({ status: 403 });
    hs.addAppService(
      registration(null, { id: "silent", as_token: "t2", hs_token: "h2", sender_localpart: "silent", namespaces: {} }),
    );
    const silent = new ServiceCaller(hs, "t2");
    expect(await silent.call("POST", PING.replace("irc", "silent"), { body: {} })).toMatchObject({
      status: 400,
      body: { errcode: "M_URL_NOT_SET" },
    });
  });

  it("is asked for unknown ghosts and aliases of its namespace", async () => {
    const roomId = await alice.createRoom({ preset: "public_chat" });
    await alice.invite(roomId, "@irc_stranger:localhost.test");
    await service.until(() => service.received.some(({ path }) => path.includes("/users/")));
    expect(decodeURIComponent(service.received.find(({ path }) => path.includes("/users/"))!.path)).toBe(
      "/_matrix/app/v1/users/@irc_stranger:localhost.test",
    );
    service.answer = async ({ path }) => {
      if (!path.includes("/rooms/")) return undefined;
      if (decodeURIComponent(path).includes("#irc_no")) return { status: 404 };
      await as.call("POST", "/_matrix/client/v3/createRoom", {
        body: { preset: "public_chat", room_alias_name: "irc_made" },
      });
      return undefined;
    };
    const made = await alice.join("#irc_made:localhost.test");
    expect(hs.room(made).joined()).toContain(alice.userId);
    await expect(alice.join("#irc_no:localhost.test")).rejects.toMatchObject({ status: 404, errcode: "M_NOT_FOUND" });
    await expect(alice.createRoom({ room_alias_name: "irc_mine" })).rejects.toMatchObject({ errcode: "M_EXCLUSIVE" });
    const foreign = await as.call("PUT", "/_matrix/client/v3/directory/room/%23lounge%3Alocalhost.test", {
      body: { room_id: roomId },
    });
    expect(foreign).toMatchObject({ status: 400, body: { errcode: "M_EXCLUSIVE" } });
    const own = await as.call("PUT", "/_matrix/client/v3/directory/room/%23irc_x%3Alocalhost.test", {
      body: { room_id: roomId },
    });
    expect(own.status).toBe(200);
    hs.clearSpecDeviations();
  });

  it("answers third-party lookups of users", async () => {
    await hs.stop();
    hs = await Homeserver.start({ registrations: [registration(service.url, { protocols: ["irc"] })] });
    alice = hs.createClient("alice");
    const instance = { desc: "Net", network_id: "net", fields: { network: "net" } };
    const protocol = {
      user_fields: ["nick"],
      location_fields: ["channel"],
      icon: "mxc://x/y",
      field_types: { nick: { regexp: ".+", placeholder: "n" }, channel: { regexp: "#.+", placeholder: "#c" } },
      instances: [instance],
    };
    service.answer = ({ path }) => {
      if (path.endsWith("/protocol/irc")) return { status: 200, text: JSON.stringify(protocol) };
      if (path.endsWith("/user/irc") || path.endsWith("/user")) {
        return {
          status: 200,
          text: JSON.stringify([{ userid: "@irc_bob:localhost.test", protocol: "irc", fields: {} }]),
        };
      }
      return { status: 200, text: JSON.stringify([{ alias: "#irc_c:localhost.test", protocol: "irc", fields: {} }]) };
    };
    const base = "/_matrix/client/v3/thirdparty";
    const protocols = await alice.request("GET", `${base}/protocols`);
    expect(list(record(protocols["irc"])["instances"])).toEqual([{ ...instance, instance_id: "irc|net" }]);
    const users = list(await alice.requestJson("GET", `${base}/user/irc`, { query: { nick: "bob" } }));
    expect(users![0]!["userid"]).toBe("@irc_bob:localhost.test");
    expect(service.received.at(-1)!.query.get("nick")).toBe("bob");
    const places = list(
      await alice.requestJson("GET", `${base}/location`, { query: { alias: "#irc_c:localhost.test" } }),
    );
    expect(places![0]!["alias"]).toBe("#irc_c:localhost.test");
  });

  it("lists rooms in its own network of the directory", async () => {
    const roomId = await alice.createRoom({ preset: "public_chat", name: "Listed" });
    const path = `/_matrix/client/v3/directory/list/appservice/net/${encodeURIComponent(roomId)}`;
    await as.call("PUT", path, { body: { visibility: "public" } });
    const all = "/_matrix/client/v3/publicRooms";
    expect((await alice.request("POST", all, { body: {} }))["chunk"]).toEqual([]);
    const network = await alice.request("POST", all, { body: { third_party_instance_id: "irc|net" } });
    expect(list(network["chunk"])![0]).toMatchObject({ room_id: roomId, name: "Listed", num_joined_members: 1 });
    await alice.request("PUT", `/_matrix/client/v3/directory/list/room/${encodeURIComponent(roomId)}`, {
      body: { visibility: "public" },
    });
    const found = await alice.request("POST", all, { body: { filter: { generic_search_term: "list" } } });
    expect(list(found["chunk"])).toHaveLength(1);
    await expect(alice.request("PUT", path, { body: { visibility: "public" } })).rejects.toMatchObject({ status: 403 });
  });
});
