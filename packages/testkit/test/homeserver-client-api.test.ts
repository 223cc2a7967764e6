import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { JsonObject } from "@trestle/testkit";
import { Homeserver, TestClient } from "@trestle/testkit";
import { content, list, record, registration, ServiceCaller, text } from "./homeserver-support.js";

const V1 = "/_matrix/client/v1";
const V3 = "/_matrix/client/v3";
const enc = encodeURIComponent;

/** What clients ask for and bridges rarely do. Every answer is held against the specification when the server stops. */
describe("the client-server API for ordinary clients", () => {
  let hs: Homeserver;
  let alice: TestClient;
  let bob: TestClient;

  beforeEach(async () => {
    hs = await Homeserver.start();
    alice = hs.createClient("alice", "wonderland");
    bob = hs.createClient("bob", "builder");
  });
  afterEach(() => hs.stop());

  const put = (client: TestClient, path: string, body: JsonObject = {}): Promise<JsonObject> =>
    client.request("PUT", V3 + path, { body });
  const post = (client: TestClient, path: string, body: JsonObject = {}): Promise<JsonObject> =>
    client.request("POST", V3 + path, { body });
  const get = (client: TestClient, path: string, query: Record<string, string | number> = {}): Promise<JsonObject> =>
    client.request("GET", path, { query });

  it("keeps tags of rooms", async () => {
    const roomId = await alice.createRoom();
    const tags = `/user/${enc(alice.userId)}/rooms/${enc(roomId)}/tags`;
    await put(alice, `${tags}/m.favourite`, { order: 0.5 });
    await put(alice, `${tags}/u.work`);
    await alice.request("DELETE", `${V3}${tags}/u.work`);
    expect(await get(alice, V3 + tags)).toEqual({ tags: { "m.favourite": { order: 0.5 } } });
    await expect(get(bob, V3 + tags)).rejects.toMatchObject({ status: 403 });
  });

  it("keeps push rules and pushers, and tells other devices of changes", async () => {
    const { next_batch: since } = await alice.sync();
    const rules = await get(alice, `${V3}/pushrules/`);
    const ids = list(record(rules["global"])["override"])!.map((rule) => rule["rule_id"]);
    expect(ids[0]).toBe(".m.rule.master");
    expect(ids).toContain(".m.rule.is_user_mention");
    const mine = "/pushrules/global/content/cake";
    await put(alice, mine, { actions: ["notify"], pattern: "cake*lie" });
    await put(alice, `${mine}/enabled`, { enabled: false });
    await put(alice, `${mine}/actions`, { actions: [] });
    expect(await get(alice, V3 + mine)).toMatchObject({ pattern: "cake*lie", enabled: false, actions: [] });
    expect(await get(alice, `${V3}${mine}/enabled`)).toEqual({ enabled: false });
    const synced = await alice.sync(text(since));
    expect(list(record(synced["account_data"])["events"])!.map((event) => event["type"])).toEqual(["m.push_rules"]);
    await alice.request("DELETE", V3 + mine);
    await expect(get(alice, V3 + mine)).rejects.toMatchObject({ status: 404, errcode: "M_NOT_FOUND" });
    await expect(alice.request("DELETE", `${V3}/pushrules/global/override/.m.rule.master`)).rejects.toMatchObject({
      status: 400,
    });
    const pusher = {
      app_id: "app",
      pushkey: "key",
      kind: "http",
      app_display_name: "App",
      device_display_name: "Phone",
      lang: "en",
      data: { url: "https://push.test/_matrix/push/v1/notify" },
    };
    await post(alice, "/pushers/set", pusher);
    expect(await get(alice, `${V3}/pushers`)).toEqual({ pushers: [pusher] });
    await post(alice, "/pushers/set", { app_id: "app", pushkey: "key", kind: null });
    expect(await get(alice, `${V3}/pushers`)).toEqual({ pushers: [] });
  });

  it("changes passwords and deactivates accounts only with the password", async () => {
    const denied = await alice.exchange("POST", `${V3}/account/password`, { body: { new_password: "new" } });
    const challenge = record(JSON.parse(denied.body.toString()));
    expect([denied.status, challenge["flows"]]).toEqual([401, [{ stages: ["m.login.password"] }]]);
    const identifier = { type: "m.id.user", user: "alice" };
    const auth = { type: "m.login.password", identifier, password: "wonderland", session: text(challenge["session"]) };
    const wrong = alice.exchange("POST", `${V3}/account/password`, {
      body: { new_password: "new", auth: { ...auth, password: "no" } },
    });
    expect((await wrong).status).toBe(401);
    await post(alice, "/account/password", { new_password: "new", auth });
    await expect(TestClient.login(hs.url, "alice", "wonderland")).rejects.toMatchObject({ status: 403 });
    const again = await TestClient.login(hs.url, "alice", "new");
    const roomId = await again.createRoom({ preset: "public_chat" });
    await post(again, "/account/deactivate", { auth: { ...auth, password: "new" } });
    expect(hs.room(roomId).members()[alice.userId]).toBe("leave");
    await expect(again.whoami()).rejects.toMatchObject({ status: 401, errcode: "M_UNKNOWN_TOKEN" });
    await expect(TestClient.login(hs.url, "alice", "new")).rejects.toMatchObject({ status: 403 });
    expect(await get(bob, `${V3}/account/3pid`)).toEqual({ threepids: [] });
  });

  it("previews rooms, walks spaces, knows mutual rooms", async () => {
    const child = await alice.createRoom({ preset: "public_chat", name: "Kitchen", topic: "Food" });
    const hidden = await alice.createRoom({ preset: "private_chat", name: "Cellar" });
    const space = await alice.createRoom({
      preset: "public_chat",
      name: "House",
      room_alias_name: "house",
      creation_content: { type: "m.space" },
    });
    await alice.setState(space, "m.space.child", { via: ["localhost.test"], order: "b" }, hidden);
    await alice.setState(space, "m.space.child", { via: ["localhost.test"], order: "a", suggested: true }, child);
    await alice.setState(space, "m.space.child", {}, "!gone:localhost.test");
    const names = async (client: TestClient, query: Record<string, string> = {}): Promise<unknown[]> => {
      const answer = await get(client, `${V1}/rooms/${enc(space)}/hierarchy`, query);
      return list(answer["rooms"])!.map((room) => room["name"]);
    };
    expect(await names(alice)).toEqual(["House", "Kitchen", "Cellar"]);
    expect(await names(bob)).toEqual(["House", "Kitchen"]);
    expect(await names(alice, { suggested_only: "true" })).toEqual(["House", "Kitchen"]);
    expect(await names(alice, { max_depth: "0" })).toEqual(["House"]);
    expect(await get(bob, `${V1}/room_summary/${enc("#house:localhost.test")}`)).toMatchObject({
      room_id: space,
      room_type: "m.space",
      membership: "leave",
      num_joined_members: 1,
    });
    const anonymous = await fetch(`${hs.url}${V1}/room_summary/${enc(child)}`);
    expect(await anonymous.json()).toMatchObject({ name: "Kitchen", topic: "Food" });
    await expect(get(bob, `${V1}/room_summary/${enc(hidden)}`)).rejects.toMatchObject({ status: 404 });
    await bob.join(child);
    expect(await get(alice, `${V1}/mutual_rooms`, { user_id: bob.userId })).toEqual({ joined: [child], count: 1 });
  });

  it("lists threads, finds events by time and by words", async () => {
    const roomId = await alice.createRoom({ preset: "public_chat" });
    await bob.join(roomId);
    const root = await alice.sendText(roomId, "The weather is fine");
    const other = await alice.sendText(roomId, "Another subject");
    await bob.thread(roomId, root, "Indeed it is");
    await alice.thread(roomId, other, "Alone here");
    const threads = async (client: TestClient, include: string): Promise<unknown[]> => {
      const answer = await get(client, `${V1}/rooms/${enc(roomId)}/threads`, { include });
      return list(answer["chunk"])!.map((event) => event["event_id"]);
    };
    expect(await threads(bob, "all")).toEqual([other, root]);
    expect(await threads(bob, "participated")).toEqual([root]);
    const seen = await bob.event(roomId, root);
    expect(record(record(record(seen["unsigned"])["m.relations"])["m.thread"])).toMatchObject({
      count: 1,
      current_user_participated: true,
    });
    const first = hs.room(roomId).messages()[0]!;
    const at = await get(bob, `${V1}/rooms/${enc(roomId)}/timestamp_to_event`, {
      ts: Number(first["origin_server_ts"]) + 3_600_000,
      dir: "b",
    });
    expect(at["event_id"]).toBe(hs.room(roomId).timeline().at(-1)!["event_id"]);
    await expect(
      get(bob, `${V1}/rooms/${enc(roomId)}/timestamp_to_event`, { ts: 4_000_000_000_000, dir: "f" }),
    ).rejects.toMatchObject({ status: 404, errcode: "M_NOT_FOUND" });
    const search = await post(bob, "/search", {
      search_categories: { room_events: { search_term: "weather FINE", order_by: "recent" } },
    });
    const found = record(record(search["search_categories"])["room_events"]);
    expect(found["count"]).toBe(1);
    expect(record(list(found["results"])![0]!["result"])["event_id"]).toBe(root);
    await post(bob, `/rooms/${enc(roomId)}/report/${enc(root)}`, { reason: "too fine" });
  });

  it("keeps cross-signing keys and tells of changed and lost devices", async () => {
    const roomId = await alice.createRoom({ preset: "public_chat" });
    await bob.join(roomId);
    const { next_batch: since } = await bob.sync();
    const lists = async (): Promise<unknown> => (await bob.sync(text(since)))["device_lists"];
    expect(await lists()).toEqual({ changed: [], left: [] });
    const master = { user_id: alice.userId, usage: ["master"], keys: { "ed25519:abc": "abc" } };
    await post(alice, "/keys/device_signing/upload", { master_key: master });
    await post(alice, "/keys/device_signing/upload", { master_key: master });
    const other = { user_id: alice.userId, usage: ["master"], keys: { "ed25519:def": "def" } };
    const replaced = await alice.exchange("POST", `${V3}/keys/device_signing/upload`, { body: { master_key: other } });
    expect(replaced.status).toBe(401);
    expect(await lists()).toEqual({ changed: [alice.userId], left: [] });
    const { device_id: deviceId } = await alice.whoami();
    const device = {
      user_id: alice.userId,
      device_id: text(deviceId),
      algorithms: ["m.olm.v1.curve25519-aes-sha2"],
      keys: {},
      signatures: {},
    };
    await post(alice, "/keys/upload", { device_keys: device });
    const signed = { ...device, signatures: { [alice.userId]: { "ed25519:abc": "signature" } } };
    expect(await post(alice, "/keys/signatures/upload", { [alice.userId]: { [text(deviceId)]: signed } })).toEqual({
      failures: {},
    });
    const queried = await post(bob, "/keys/query", { device_keys: { [alice.userId]: [] } });
    expect(record(queried["master_keys"])[alice.userId]).toEqual(master);
    const keys = record(record(queried["device_keys"])[alice.userId])[text(deviceId)];
    expect(record(keys)["signatures"]).toEqual({ [alice.userId]: { "ed25519:abc": "signature" } });
    await alice.leave(roomId);
    expect(await lists()).toEqual({ changed: [], left: [alice.userId] });
    const { next_batch: now } = await bob.sync();
    expect(await get(bob, `${V3}/keys/changes`, { from: text(since), to: text(now) })).toEqual({
      changed: [],
      left: [alice.userId],
    });
  });

  it("hands out fallback keys and says which are unused", async () => {
    const { device_id: id } = await alice.whoami();
    const key = { key: "k", fallback: true, signatures: {} };
    await post(alice, "/keys/upload", { fallback_keys: { "signed_curve25519:AAAA": key } });
    expect((await alice.sync())["device_unused_fallback_key_types"]).toEqual(["signed_curve25519"]);
    const claim = { one_time_keys: { [alice.userId]: { [text(id)]: "signed_curve25519" } } };
    for (let round = 0; round < 2; round++) {
      const claimed = await post(bob, "/keys/claim", claim);
      expect(record(record(claimed["one_time_keys"])[alice.userId])[text(id)]).toEqual({
        "signed_curve25519:AAAA": key,
      });
    }
    expect((await alice.sync())["device_unused_fallback_key_types"]).toEqual([]);
  });

  it("counts what is unread and what mentions the user", async () => {
    const roomId = await alice.createRoom({ preset: "public_chat" });
    await bob.join(roomId);
    const counts = async (): Promise<unknown> => {
      const synced = await bob.sync();
      return record(record(record(synced["rooms"])["join"])[roomId])["unread_notifications"];
    };
    await alice.sendText(roomId, "one");
    await alice.sendNotice(roomId, "a notice does not count");
    const last = await alice.sendText(roomId, "Bob?", { "m.mentions": { user_ids: [bob.userId] } });
    expect(await counts()).toEqual({ notification_count: 2, highlight_count: 1 });
    await bob.sendReceipt(roomId, last);
    expect(await counts()).toEqual({ notification_count: 0, highlight_count: 0 });
  });

  it("names in a lazy sync only the members who speak", async () => {
    const roomId = await alice.createRoom({ preset: "public_chat" });
    await bob.join(roomId);
    for (const name of ["carol", "dave"]) await hs.createClient(name).join(roomId);
    await bob.sendText(roomId, "hello");
    const filter = JSON.stringify({ room: { state: { lazy_load_members: true }, timeline: { limit: 1 } } });
    const synced = await get(alice, `${V3}/sync`, { filter });
    const room = record(record(record(synced["rooms"])["join"])[roomId]);
    const members = list(record(room["state"])["events"])!.filter((event) => event["type"] === "m.room.member");
    expect(members.map((event) => event["state_key"]).sort()).toEqual([alice.userId, bob.userId]);
    await alice.sync();
    const { next_batch: since } = await get(alice, `${V3}/sync`, { filter });
    await hs.createClient("erin").join(roomId);
    await alice.sendText(roomId, "quiet");
    const later = await get(alice, `${V3}/sync`, { filter, since: text(since) });
    const events = list(record(record(record(record(later["rooms"])["join"])[roomId])["state"])["events"])!;
    expect(events.map((event) => content(event)["membership"])).toEqual(["join"]);
  });

  it("is healthy, and lets application services act without a password", async () => {
    expect(await (await fetch(`${hs.url}/health`)).text()).toBe("OK");
    hs.addAppService(registration(null));
    const as = new ServiceCaller(hs);
    const roomId = await alice.createRoom({ preset: "public_chat" });
    const ghost = await as.ghost("irc_bob", roomId);
    const gone = await as.call("POST", `${V3}/account/deactivate`, { as: ghost, body: {} });
    expect(gone).toMatchObject({ status: 200, body: { id_server_unbind_result: "success" } });
    expect(hs.room(roomId).members()[ghost]).toBe("leave");
    // Synapse still lets the application service act as the user.
    const back = await as.call("POST", `${V3}/join/${enc(roomId)}`, { as: ghost, body: {} });
    expect(back.status).toBe(200);
    expect(
      (
        await as.call("POST", `${V3}/register`, {
          body: { type: "m.login.application_service", username: "irc_bob", inhibit_login: true },
        })
      ).body["errcode"],
    ).toBe("M_USER_IN_USE");
  });
});
