import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { JsonObject, TestClient } from "@trestle/testkit";
import { Homeserver } from "@trestle/testkit";
import { content, FakeService, list, poll, record, registration, ServiceCaller, text } from "./homeserver-support.js";

const V3 = "/_matrix/client/v3";
const enc = encodeURIComponent;
const alias = (name: string): string => `${V3}/directory/room/${enc(`#${name}:localhost.test`)}`;
const room = (roomId: string): string => `${V3}/rooms/${enc(roomId)}`;
const profileOf = (userId: string): string => `${V3}/profile/${enc(userId)}`;

/** What Sytest and Synapse's own tests ask of a homeserver with application services. */
describe("behaviours that homeservers are tested for", () => {
  let service: FakeService;
  let hs: Homeserver;
  let as: ServiceCaller;
  let alice: TestClient;

  const open = async (...extra: JsonObject[]): Promise<void> => {
    hs = await Homeserver.start({ registrations: [], expectDeviations: true });
    for (const each of extra.length === 0 ? [{}] : extra) hs.addAppService(registration(service.url, each));
    as = new ServiceCaller(hs);
    alice = hs.createClient("alice", "secret");
  };
  const register = (username: string, extra: JsonObject = {}): ReturnType<ServiceCaller["call"]> =>
    as.call("POST", `${V3}/register`, { body: { type: "m.login.application_service", username, ...extra } });

  beforeEach(async () => {
    service = await FakeService.start();
  });
  afterEach(async () => {
    try {
      await hs.stop();
    } finally {
      await service.close();
    }
  });

  describe("creating users and aliases", () => {
    beforeEach(() => open());

    it("lets the service create a user, with a session of its own", async () => {
      const made = await register("irc_bob");
      expect(made.status).toBe(200);
      const whoami = await fetch(`${hs.url}${V3}/account/whoami`, {
        headers: { authorization: `Bearer ${text(made.body["access_token"])}` },
      });
      expect(await whoami.json()).toMatchObject({ user_id: "@irc_bob:localhost.test" });
    });

    it("lets it create a user whose name begins with an underscore", async () => {
      await hs.stop();
      await open({ namespaces: { users: [{ regex: "@_irc_.*", exclusive: true }], aliases: [], rooms: [] } });
      expect((await register("_irc_bob", { inhibit_login: true })).body["user_id"]).toBe("@_irc_bob:localhost.test");
    });

    it("gives no session where it asks for none", async () => {
      const { body } = await register("irc_bob", { inhibit_login: true });
      expect(body["user_id"]).toBe("@irc_bob:localhost.test");
      expect(body).not.toHaveProperty("access_token");
      expect(body).not.toHaveProperty("device_id");
    });

    it("refuses it users outside of its namespace, and others the users within", async () => {
      expect((await register("someone")).body["errcode"]).toBe("M_EXCLUSIVE");
      const anonymous = await fetch(`${hs.url}${V3}/register`, {
        method: "POST",
        body: JSON.stringify({ username: "irc_thief", password: "p", auth: { type: "m.login.dummy" } }),
      });
      expect(record(await anonymous.json())["errcode"]).toBe("M_EXCLUSIVE");
    });

    it("keeps the aliases of the namespace for the service", async () => {
      const roomId = await alice.createRoom({ preset: "public_chat" });
      expect((await as.call("PUT", alias("irc_a"), { body: { room_id: roomId } })).status).toBe(200);
      await expect(alice.request("PUT", alias("irc_b"), { body: { room_id: roomId } })).rejects.toMatchObject({
        errcode: "M_EXCLUSIVE",
      });
      await alice.request("PUT", alias("free"), { body: { room_id: roomId } });
    });
  });

  describe("acting as users", () => {
    beforeEach(() => open());

    it("lets ghosts use rooms through the service, and by themselves", async () => {
      const made = await register("irc_bob");
      const ghost = "@irc_bob:localhost.test";
      const roomId = await alice.createRoom({ preset: "public_chat" });
      expect((await as.call("POST", `${V3}/join/${enc(roomId)}`, { body: {}, as: ghost })).status).toBe(200);
      expect((await as.send(roomId, ghost, "through the service", "t1")).status).toBe(200);
      const own = new ServiceCaller(hs, text(made.body["access_token"]));
      const path = `${room(roomId)}/send/m.room.message/t2`;
      expect((await own.call("PUT", path, { body: { msgtype: "m.text", body: "by itself" } })).status).toBe(200);
      const said = hs.room(roomId).messages();
      expect(said.map((event) => [event["sender"], content(event)["body"]])).toEqual([
        [ghost, "through the service"],
        [ghost, "by itself"],
      ]);
    });

    it("wants a ghost registered before it joins", async () => {
      const roomId = await alice.createRoom({ preset: "public_chat" });
      const join = await as.call("POST", `${V3}/join/${enc(roomId)}`, { body: {}, as: "@irc_new:localhost.test" });
      expect(join).toMatchObject({ status: 403, body: { errcode: "M_FORBIDDEN" } });
    });

    it("lets the service's own user join unregistered, named or not", async () => {
      for (const query of [{}, { user_id: "@ircbot:localhost.test" }]) {
        const roomId = await alice.createRoom({ preset: "public_chat" });
        const answer = await as.call("POST", `${V3}/join/${enc(roomId)}`, { body: {}, query });
        expect(answer.status).toBe(200);
        expect(hs.room(roomId).joined()).toContain("@ircbot:localhost.test");
      }
    });

    it("sets names and avatars of ghosts, not of anybody else", async () => {
      const ghost = await as.ghost("irc_bob");
      await as.call("PUT", `${profileOf(ghost)}/displayname`, { as: ghost, body: { displayname: "Bob" } });
      await as.call("PUT", `${profileOf(ghost)}/avatar_url`, { as: ghost, body: { avatar_url: "mxc://a/b" } });
      expect(await alice.request("GET", profileOf(ghost))).toEqual({ displayname: "Bob", avatar_url: "mxc://a/b" });
      const foreign = await as.call("PUT", `${profileOf(alice.userId)}/displayname`, {
        as: alice.userId,
        body: { displayname: "Eve" },
      });
      expect(foreign.status).toBe(403);
    });

    it("deactivates a ghost without a password", async () => {
      const ghost = await as.ghost("irc_bob");
      expect((await as.call("POST", `${V3}/account/deactivate`, { as: ghost, body: {} })).status).toBe(200);
    });
  });

  describe("asking the service", () => {
    beforeEach(() => open({ protocols: ["irc", "matrix"] }));

    const asked = (part: string): string[] =>
      service.received.map(({ path }) => decodeURIComponent(path)).filter((path) => path.includes(part));

    it("asks for an invited user that nobody knows, once, and not for one it knows", async () => {
      const roomId = await alice.createRoom();
      const ghost = await as.ghost("irc_known");
      await alice.invite(roomId, ghost);
      await alice.invite(roomId, "@irc_unknown:localhost.test");
      await poll(() => asked("/users/").length > 0);
      await hs.delivered("irc");
      expect(asked("/users/")).toEqual(["/_matrix/app/v1/users/@irc_unknown:localhost.test"]);
    });

    it("asks for an alias it does not know, and takes the room that the service makes", async () => {
      let made = "";
      service.answer = async ({ path }) => {
        if (path.includes("/rooms/")) {
          const { body } = await as.call("POST", `${V3}/createRoom`, {
            body: { preset: "public_chat", room_alias_name: "irc_hosted" },
          });
          made = text(body["room_id"]);
        }
        return undefined;
      };
      const found = await alice.request("GET", alias("irc_hosted"));
      expect(found["room_id"]).toBe(made);
      await alice.request("GET", alias("irc_hosted"));
      expect(asked("/_matrix/app/v1/rooms/")).toEqual(["/_matrix/app/v1/rooms/#irc_hosted:localhost.test"]);
      await expect(alice.request("GET", alias("elsewhere"))).rejects.toMatchObject({ status: 404 });
      expect(asked("#elsewhere")).toEqual([]);
    });

    it("passes on the metadata of its protocols, of all and of one", async () => {
      const instance = { desc: "Net", network_id: "net", fields: {} };
      const metadata = {
        user_fields: ["n"],
        location_fields: ["c"],
        icon: "mxc://a/b",
        field_types: {},
        instances: [instance],
      };
      service.answer = ({ path }) => ({ status: path.endsWith("/irc") ? 200 : 404, text: JSON.stringify(metadata) });
      const all = await alice.request("GET", `${V3}/thirdparty/protocols`);
      expect(Object.keys(all)).toEqual(["irc"]);
      const one = await alice.request("GET", `${V3}/thirdparty/protocol/irc`);
      expect(list(one["instances"])![0]).toMatchObject({ network_id: "net", instance_id: "irc|net" });
      await expect(alice.request("GET", `${V3}/thirdparty/protocol/xmpp`)).rejects.toMatchObject({ status: 404 });
    });

    it("merges the instances that several services have of a protocol", async () => {
      hs.addAppService(
        registration(service.url, {
          id: "irc2",
          as_token: "as2",
          hs_token: "hs2",
          sender_localpart: "bot2",
          protocols: ["irc"],
          namespaces: {},
        }),
      );
      const metadata = { user_fields: ["n"], location_fields: [], icon: "mxc://a/b", field_types: {} };
      service.answer = ({ authorization }) => ({
        status: 200,
        text: JSON.stringify({
          ...metadata,
          instances: [{ desc: "", network_id: authorization === "Bearer hs2" ? "two" : "one", fields: {} }],
        }),
      });
      const one = await alice.request("GET", `${V3}/thirdparty/protocol/irc`);
      expect(list(one["instances"])!.map((each) => each["instance_id"])).toEqual(["irc|one", "irc2|two"]);
    });

    it("passes on lookups of users and locations, with its token where the switch says", async () => {
      const user = [{ userid: "@irc_b:localhost.test", protocol: "irc", fields: {} }];
      const place = [{ alias: "#irc_c:localhost.test", protocol: "irc", fields: {} }];
      service.answer = ({ path }) => ({ status: 200, text: JSON.stringify(path.includes("/user/") ? user : place) });
      expect(await alice.requestJson("GET", `${V3}/thirdparty/user/irc`, { query: { n: "b" } })).toEqual(user);
      expect(service.received.at(-1)).toMatchObject({
        path: "/_matrix/app/v1/thirdparty/user/irc",
        authorization: "Bearer hs-token",
      });
      hs.faults.token = "query";
      expect(await alice.requestJson("GET", `${V3}/thirdparty/location/irc`, { query: { c: "c" } })).toEqual(place);
      expect(service.received.at(-1)!.authorization).toBeUndefined();
      expect(service.received.at(-1)!.query.get("access_token")).toBe("hs-token");
    });
  });

  describe("the room directory", () => {
    it("keeps the service's own list apart from the public one", async () => {
      await open();
      const [own, open_] = [
        await alice.createRoom({ preset: "public_chat", name: "own" }),
        await alice.createRoom({ preset: "public_chat", name: "open", visibility: "public" }),
      ];
      await as.call("PUT", `${V3}/directory/list/appservice/net/${enc(own)}`, { body: { visibility: "public" } });
      const ids = async (body: JsonObject): Promise<unknown[]> =>
        list((await alice.request("POST", `${V3}/publicRooms`, { body }))["chunk"])!.map((each) => each["room_id"]);
      expect(await ids({})).toEqual([open_]);
      expect(await ids({ third_party_instance_id: "irc|net" })).toEqual([own]);
      expect((await ids({ include_all_networks: true })).sort()).toEqual([own, open_].sort());
      await as.call("PUT", `${V3}/directory/list/appservice/net/${enc(own)}`, { body: { visibility: "private" } });
      expect(await ids({ third_party_instance_id: "irc|net" })).toEqual([]);
    });
  });

  describe("what a service is interested in", () => {
    const messages = (): unknown[] => service.bodies;
    const withRooms = (namespaces: JsonObject): Promise<void> => open({ namespaces });

    it("is a sender of its namespace, also in a room of nobody else's interest", async () => {
      await open();
      const ghost = await as.ghost("irc_bob");
      const made = await as.call("POST", `${V3}/createRoom`, { as: ghost, body: { preset: "public_chat" } });
      await hs.delivered("irc");
      expect(service.events.map((event) => event["type"])).toContain("m.room.create");
      expect(service.events.every((event) => event["room_id"] === made.body["room_id"])).toBe(true);
    });

    it("is a room id of its namespace", async () => {
      await open();
      const roomId = await alice.createRoom();
      hs.addAppService(
        registration(service.url, {
          id: "rooms",
          as_token: "as2",
          hs_token: "hs2",
          sender_localpart: "bot2",
          namespaces: { rooms: [{ regex: roomId.replaceAll(/[.!]/gu, "\\$&"), exclusive: false }] },
        }),
      );
      await alice.sendText(roomId, "here");
      await alice.sendText(await alice.createRoom(), "elsewhere");
      await hs.delivered("rooms");
      expect(messages()).toEqual(["here"]);
    });

    it("is a room with an alias of its namespace, for as long as it has it", async () => {
      await withRooms({ aliases: [{ regex: "#irc_.*", exclusive: false }] });
      const roomId = await alice.createRoom({ preset: "public_chat", room_alias_name: "irc_here" });
      await alice.sendText(roomId, "with");
      await alice.request("DELETE", alias("irc_here"));
      await alice.sendText(roomId, "without");
      await hs.delivered("irc");
      expect(messages()).toEqual(["with"]);
    });

    it("is a room with a joined member of its namespace, or its own user", async () => {
      await open();
      const roomId = await alice.createRoom({ preset: "public_chat" });
      await alice.sendText(roomId, "nobody");
      await as.call("POST", `${V3}/join/${enc(roomId)}`, { body: {} });
      await alice.sendText(roomId, "the bot");
      await as.call("POST", `${room(roomId)}/leave`, { body: {} });
      await alice.sendText(roomId, "gone");
      await hs.delivered("irc");
      expect(messages()).toEqual(["the bot"]);
    });

    it("is not what only looks alike", async () => {
      await open();
      await hs.stop();
      await withRooms({ users: [{ regex: "@irc_.*", exclusive: false }] });
      const lookalike = hs.createClient("xirc_bob");
      const roomId = await lookalike.createRoom();
      await lookalike.sendText(roomId, "not yours");
      await hs.delivered("irc");
      expect(messages()).toEqual([]);
    });

    it("may be shared: a namespace that is not exclusive reserves nothing", async () => {
      await withRooms({
        users: [{ regex: "@irc_.*", exclusive: false }],
        aliases: [{ regex: "#irc_.*", exclusive: false }],
      });
      const answer = await fetch(`${hs.url}${V3}/register`, {
        method: "POST",
        body: JSON.stringify({ username: "irc_person", password: "p", auth: { type: "m.login.dummy" } }),
      });
      expect(answer.status).toBe(200);
      await alice.createRoom({ room_alias_name: "irc_mine" });
    });

    it("is told to each service by itself", async () => {
      await open();
      const second = await FakeService.start();
      hs.addAppService(
        registration(second.url, {
          id: "second",
          as_token: "as2",
          hs_token: "hs2",
          sender_localpart: "bot2",
          namespaces: { users: [{ regex: "@two_.*", exclusive: true }] },
        }),
      );
      const roomId = await alice.createRoom({ preset: "public_chat" });
      await as.ghost("irc_bob", roomId);
      service.answer = () => ({ status: 503 });
      await alice.sendText(roomId, "for one");
      await new ServiceCaller(hs, "as2").ghost("two_carol", roomId);
      await alice.sendText(roomId, "for both");
      await hs.delivered("second");
      expect(second.bodies).toEqual(["for both"]);
      expect(hs.pushState("irc").down).toBe(true);
      await second.close();
    });
  });

  describe("what encrypting services are sent", () => {
    const ephemeral = { "de.sorunome.msc2409.push_ephemeral": true, "org.matrix.msc3202": true };
    const toDevice = (messages: JsonObject): Promise<JsonObject> =>
      alice.request("PUT", `${V3}/sendToDevice/m.room_key_request/${alice.nextTransactionId()}`, {
        body: { messages },
      });
    const received = (key: string): Record<string, unknown>[] =>
      service.received.flatMap(({ body }) => list(body[key]) ?? []);

    it("are messages to the devices of its users, and only those", async () => {
      await open(ephemeral);
      const ghost = await as.ghost("irc_bob");
      await as.call("PUT", `${V3}/devices/BRIDGE`, { as: ghost, body: {} });
      await toDevice({ [ghost]: { BRIDGE: { n: 1 } }, [alice.userId]: { "*": { n: 2 } } });
      await hs.delivered("irc");
      expect(received("de.sorunome.msc2409.to_device")).toEqual([
        {
          type: "m.room_key_request",
          sender: alice.userId,
          content: { n: 1 },
          to_user_id: ghost,
          to_device_id: "BRIDGE",
        },
      ]);
    });

    it("come with the key counts of its devices", async () => {
      await open(ephemeral);
      const ghost = await as.ghost("irc_bob");
      await as.call("PUT", `${V3}/devices/BRIDGE`, { as: ghost, body: {} });
      const key = { key: "k", signatures: {} };
      await as.call("POST", `${V3}/keys/upload`, {
        as: ghost,
        query: { device_id: "BRIDGE" },
        body: {
          one_time_keys: { "signed_curve25519:A": key, "signed_curve25519:B": key },
          fallback_keys: { "signed_curve25519:F": { ...key, fallback: true } },
        },
      });
      await toDevice({ [ghost]: { BRIDGE: { n: 1 } } });
      await hs.delivered("irc");
      const last = service.received.at(-1)!.body;
      expect(last["org.matrix.msc3202.device_one_time_keys_count"]).toEqual({
        [ghost]: { BRIDGE: { signed_curve25519: 2 } },
      });
      expect(last["org.matrix.msc3202.device_unused_fallback_key_types"]).toEqual({
        [ghost]: { BRIDGE: ["signed_curve25519"] },
      });
    });

    it("are the changed devices of those they share a room with, under stable names where the switch says", async () => {
      await open(ephemeral);
      hs.faults.deviceMessageNames = "stable";
      const roomId = await alice.createRoom({ preset: "public_chat" });
      await as.ghost("irc_bob", roomId);
      await hs.delivered("irc");
      const body = { device_keys: { user_id: alice.userId, device_id: "X", algorithms: [], keys: {}, signatures: {} } };
      await alice.request("POST", `${V3}/keys/upload`, { body });
      const stranger = hs.createClient("stranger");
      await stranger.request("POST", `${V3}/keys/upload`, { body });
      await hs.delivered("irc");
      const lists = service.received.flatMap((each) =>
        "device_lists" in each.body ? [each.body["device_lists"]] : [],
      );
      expect(lists).toEqual([{ changed: [alice.userId], left: [] }]);
    });

    it("arrive in bursts of at most a hundred, and not at all without the flags", async () => {
      await open(ephemeral);
      const ghost = await as.ghost("irc_bob");
      const devices = Array.from({ length: 150 }, (_, index) => `D${index}`);
      for (const device of devices) await as.call("PUT", `${V3}/devices/${device}`, { as: ghost, body: {} });
      await toDevice({ [ghost]: { "*": { n: 1 } } });
      await hs.delivered("irc");
      const sizes = service.received.flatMap(({ body }) => list(body["de.sorunome.msc2409.to_device"])?.length ?? []);
      expect(sizes).toEqual([100, 50]);
      await hs.stop();
      await open();
      service.received.length = 0;
      const plain = await as.ghost("irc_bob");
      await as.call("PUT", `${V3}/devices/BRIDGE`, { as: plain, body: {} });
      await toDevice({ [plain]: { BRIDGE: { n: 1 } } });
      await hs.delivered("irc");
      expect(service.received).toEqual([]);
    });
  });
});
