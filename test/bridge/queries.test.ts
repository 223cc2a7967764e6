import { specValidator } from "@trestle/testkit";
import { afterEach, describe, expect, it } from "@jest/globals";
import { ChannelId, type ChannelInfo, type NetworkHandlers } from "@trestle/core";
import { Stage, type StageOptions } from "../faults/stage.js";
import { until } from "../support/bounded.js";
import { person, Recorder } from "./recorder.js";

const validator = specValidator();
if (validator === undefined)
  process.stderr.write(
    "SKIPPED: the answers to queries are not held against the specification, whose data is not beside the project (../shared).\n",
  );

const token = "hs-token-of-the-fault-tests";
const app = "/_matrix/app/v1";
/** Everything a channel's id may bring into a path. */
const oddNames = ["weather", "net/#weather", "50%25", "Straße🌦", "a?b&c=d", "..", "+"];

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** What a homeserver asks of a bridge beside transactions, as it does: over HTTP. */
describe("a homeserver asks", () => {
  let stage: Stage;
  afterEach(() => stage.close());

  async function open(handlers: Partial<NetworkHandlers> = {}, more: StageOptions = {}): Promise<void> {
    const registration = {
      protocols: ["fake"],
      namespaces: {
        users: [{ exclusive: true, regex: "^@fake_.*:faults\\.test$" }],
        aliases: [{ exclusive: true, regex: "^#fake_.*:faults\\.test$" }],
        rooms: [],
      },
    };
    stage = await Stage.open({
      places: 0,
      network: { handlers: new Recorder(handlers).handlers },
      registration,
      ...more,
    });
  }

  /** Asks with the homeserver's token; the answer is held against the specification. */
  async function ask(
    path: string,
    fields: Readonly<Record<string, string>> = {},
    headers: Readonly<Record<string, string>> = { authorization: `Bearer ${token}` },
  ): Promise<Answer> {
    const query = new URLSearchParams(fields);
    const response = await fetch(`${stage.trestle.url}${path}${query.size > 0 ? `?${query.toString()}` : ""}`, {
      headers,
    });
    const responseBody = await response.text();
    if (path.startsWith(app))
      expect(
        validator?.check({
          api: "application-service",
          method: "GET",
          path,
          query,
          requestType: undefined,
          requestBody: "",
          status: response.status,
          responseType: response.headers.get("content-type") ?? undefined,
          responseBody,
          peer: "Trestle",
        }) ?? [],
      ).toEqual([]);
    return { status: response.status, body: JSON.parse(responseBody) as unknown };
  }

  const encoded = (id: string): string => encodeURIComponent(id);
  const notFound = { status: 404, body: { errcode: "M_NOT_FOUND" } };
  const channels = (...ids: string[]): Partial<NetworkHandlers> => ({
    resolveChannel: (wanted) => {
      if (wanted === "mistyped") return Promise.reject(new Error("Channels begin with a letter."));
      const found: ChannelInfo = { id: ChannelId(wanted), name: `The ${wanted}`, topic: "talk" };
      return Promise.resolve(ids.includes(wanted) ? found : null);
    },
  });
  const people = (...ids: string[]): Partial<NetworkHandlers> => ({
    resolveUser: (wanted) => {
      if (wanted === "unreachable") return Promise.reject(new Error("the network is away"));
      return Promise.resolve(ids.includes(wanted) ? person(wanted, wanted.toUpperCase()) : null);
    },
  });

  describe("for a user", () => {
    it("and a person of the network becomes a ghost with their name", async () => {
      await open(people("ann"));
      expect(await ask(`${app}/users/${encoded("@fake_ann:faults.test")}`)).toEqual({ status: 200, body: {} });
      expect(stage.homeserver.userIds()).toContain("@fake_ann:faults.test");
      expect(await stage.alice.requestJson("GET", "/_matrix/client/v3/profile/@fake_ann:faults.test")).toMatchObject({
        displayname: "ANN",
      });
      stage.homeserver.requests.reset();
      expect(await ask(`/users/${encoded("@fake_ann:faults.test")}`)).toEqual({ status: 200, body: {} });
      expect(stage.homeserver.requests.total).toBe(0);
    });

    it("and the bot exists, but nobody whom the network or the registration does not know", async () => {
      await open(people("ann"));
      expect((await ask(`${app}/users/${encoded("@fakebot:faults.test")}`)).status).toBe(200);
      for (const user of [
        "@fake_nobody:faults.test",
        "@fake_ann:elsewhere.test",
        "@alice:faults.test",
        "@fake_:faults.test",
        "@fake_ANN:faults.test",
        "fake_ann",
        "@",
      ])
        expect(await ask(`${app}/users/${encoded(user)}`)).toMatchObject(notFound);
      expect(stage.homeserver.userIds().filter((user) => user.startsWith("@fake_"))).toEqual([]);
    });

    it("and a network that knows nobody, or cannot be asked now, is no reason to make one", async () => {
      await open(people());
      expect(await ask(`${app}/users/${encoded("@fake_unreachable:faults.test")}`)).toMatchObject({
        status: 503,
        body: { errcode: "M_UNKNOWN" },
      });
      await stage.close();
      await open();
      expect(await ask(`${app}/users/${encoded("@fake_ann:faults.test")}`)).toMatchObject(notFound);
    });
  });

  describe("for a room alias", () => {
    it.each(oddNames)("and a room is made that is linked to the channel %s", async (name) => {
      await open(channels(name));
      const alias = `#fake_${name}:faults.test`;
      expect(await ask(`${app}/rooms/${encoded(alias)}`)).toEqual({ status: 200, body: {} });
      const room = stage.homeserver.roomIdOfAlias(alias) ?? "";
      expect(stage.homeserver.room(room).state("m.room.topic")).toMatchObject({ content: { topic: "talk" } });
      expect(await stage.trestle.services.list()).toMatchObject([{ room, channel: name, kind: "portal" }]);
      expect(await stage.alice.join(alias)).toBe(room);
    });

    it("by two people at once and once more later, and one room is made", async () => {
      await open(channels("weather"));
      const path = `${app}/rooms/${encoded("#fake_weather:faults.test")}`;
      const before = stage.homeserver.roomIds().length;
      const answers = await Promise.all([ask(path), ask(path), ask(`/rooms/${encoded("#fake_weather:faults.test")}`)]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect((await ask(path)).status).toBe(200);
      expect(stage.homeserver.roomIds().length).toBe(before + 1);
    });

    it("and the room is linked, also where the bridge did not learn that it was made", async () => {
      await open(channels("weather"));
      const path = `${app}/rooms/${encoded("#fake_weather:faults.test")}`;
      const before = stage.homeserver.roomIds().length;
      const lost = stage.homeserver.faults.drop("after", { route: "/createRoom", times: 1 });
      expect((await ask(path)).status).toBe(503);
      expect(lost.applied).toBe(1);
      expect((await ask(path)).status).toBe(200);
      const room = stage.homeserver.roomIdOfAlias("#fake_weather:faults.test");
      expect(stage.homeserver.roomIds().length).toBe(before + 1);
      expect(await stage.trestle.services.list()).toMatchObject([{ room, channel: "weather", kind: "portal" }]);
    });

    it("and the room is linked, also where the bridge ends while it is made, and nobody asks again", async () => {
      await open(channels("weather"));
      const unanswered = stage.homeserver.faults.hold({ route: "/createRoom" });
      const asked = ask(`${app}/rooms/${encoded("#fake_weather:faults.test")}`).catch(() => undefined);
      await until(5_000, "the room", () => unanswered.applied > 0 || undefined);
      await stage.stop();
      await asked;
      unanswered.remove();
      await stage.start();
      await until(10_000, "the link", async () => (await stage.trestle.services.list()).length > 0 || undefined);
      const room = stage.homeserver.roomIdOfAlias("#fake_weather:faults.test");
      expect(await stage.trestle.services.list()).toMatchObject([{ room, channel: "weather", kind: "portal" }]);
    });

    it("under two spellings at once, and both lead to one room", async () => {
      await open({ resolveChannel: () => Promise.resolve({ id: ChannelId("weather"), name: "The weather" }) });
      const aliases = ["#fake_weather:faults.test", "#fake_WEATHER:faults.test"];
      const answers = await Promise.all(aliases.map((alias) => ask(`${app}/rooms/${encoded(alias)}`)));
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(new Set(aliases.map((alias) => stage.homeserver.roomIdOfAlias(alias))).size).toBe(1);
      expect(await stage.trestle.services.list()).toHaveLength(1);
    });

    it.each([
      ["is found in the network's own list of the room directory", false],
      ["is in no list where its channel is secret", true],
    ])("and a room is made that %s", async (_, secret) => {
      await open({
        resolveChannel: (wanted) =>
          Promise.resolve({ id: ChannelId(wanted), name: "The weather", settings: { secret } }),
      });
      expect((await ask(`${app}/rooms/${encoded("#fake_weather:faults.test")}`)).status).toBe(200);
      const body = { third_party_instance_id: "fake|fake" };
      const listed = await stage.alice.request("POST", "/_matrix/client/v3/publicRooms", { body });
      const room = stage.homeserver.roomIdOfAlias("#fake_weather:faults.test");
      const rooms = (listed["chunk"] as { room_id: string }[]).map(({ room_id: id }) => id);
      expect(rooms).toEqual(secret ? [] : [room]);
    });

    describe("of a channel that is linked already", () => {
      const path = `${app}/rooms/${encoded("#fake_channel0:faults.test")}`;
      const alias = "#fake_channel0:faults.test";
      const toEverybody = (rule: string) =>
        stage.alice.setState(stage.room(), "m.room.join_rules", { join_rule: rule });
      const linkedRooms = async () => (await stage.trestle.services.list()).map(({ room }) => room);

      it("and it leads to the room that is linked, where everybody may enter that; also under another spelling", async () => {
        await open(
          { resolveChannel: () => Promise.resolve({ id: ChannelId("channel0"), name: "The channel" }) },
          { places: 1 },
        );
        await toEverybody("public");
        const odd = "#fake_CHANNEL0:faults.test";
        expect(await ask(path)).toEqual({ status: 200, body: {} });
        expect(await ask(`${app}/rooms/${encoded(odd)}`)).toEqual({ status: 200, body: {} });
        expect(await ask(path)).toEqual({ status: 200, body: {} });
        expect([alias, odd].map((each) => stage.homeserver.roomIdOfAlias(each))).toEqual([stage.room(), stage.room()]);
        expect(await linkedRooms()).toEqual([stage.room()]);
      });

      it("and a room is made where not everybody may enter the one that is linked", async () => {
        await open(channels("channel0"), { places: 1 });
        await toEverybody("invite");
        expect(await ask(path)).toEqual({ status: 200, body: {} });
        const made = stage.homeserver.roomIdOfAlias(alias) ?? "";
        expect(made).not.toBe(stage.room());
        expect((await linkedRooms()).toSorted()).toEqual([stage.room(), made].toSorted());
      });

      it.each([
        ["user", "another one, where only a user of the bridge has linked it"],
        ["admin", "that one, where an admin of the bridge has linked it"],
      ])("by a %s and it leads to %s", async (level) => {
        await open(channels("channel0"), {
          places: 1,
          bridge: { links: [] },
          config: { permissions: { "faults.test": level } },
        });
        await toEverybody("public");
        const bot = "@fakebot:faults.test";
        await until(
          10_000,
          "the bot",
          () => stage.homeserver.room(stage.room()).members()[bot] === "join" || undefined,
        );
        await stage.alice.sendText(stage.room(), "!fake link channel0");
        await until(10_000, "the link", async () => (await linkedRooms()).length === 1 || undefined);
        expect(await ask(path)).toEqual({ status: 200, body: {} });
        expect(stage.homeserver.roomIdOfAlias(alias) === stage.room()).toBe(level === "admin");
      });

      it("and is asked to ask again where it cannot say who may enter the one that is linked", async () => {
        await open(channels("channel0"), { places: 1 });
        await toEverybody("public");
        const fault = stage.homeserver.faults.answer({ status: 502 }, { route: "/state/", fromAppService: true });
        expect((await ask(path)).status).toBe(503);
        expect(await linkedRooms()).toEqual([stage.room()]);
        fault.remove();
        expect((await ask(path)).status).toBe(200);
        expect(stage.homeserver.roomIdOfAlias(alias)).toBe(stage.room());
      });
    });

    it("and none is made for what is no channel of this network", async () => {
      await open(channels("weather"));
      const before = stage.homeserver.roomIds().length;
      for (const alias of [
        "#fake_nowhere:faults.test",
        "#fake_mistyped:faults.test",
        "#fake_weather:elsewhere.test",
        "#weather:faults.test",
        "#fake_:faults.test",
        "weather",
      ])
        expect(await ask(`${app}/rooms/${encoded(alias)}`)).toMatchObject(notFound);
      expect(stage.homeserver.roomIds().length).toBe(before);
    });

    it("and is asked to ask again where the room cannot be made now", async () => {
      await open(channels("weather"));
      const path = `${app}/rooms/${encoded("#fake_weather:faults.test")}`;
      const refused = stage.homeserver.faults.answer({ status: 502 }, { route: "/createRoom" });
      expect(await ask(path)).toMatchObject({ status: 503, body: { errcode: "M_UNKNOWN" } });
      refused.remove();
      expect((await ask(path)).status).toBe(200);
      expect(await stage.trestle.services.list()).toMatchObject([{ channel: "weather" }]);
    });
  });

  describe("about the network", () => {
    it("what one looks for there", async () => {
      await open();
      for (const prefix of [app, "/_matrix/app/unstable"]) {
        const { status, body } = await ask(`${prefix}/thirdparty/protocol/fake`);
        expect({ status, body }).toMatchObject({
          status: 200,
          body: { user_fields: ["user"], location_fields: ["channel"], instances: [{ network_id: "fake" }] },
        });
        const { field_types: types } = body as { field_types: Record<string, { regexp: string }> };
        for (const { regexp } of Object.values(types)) expect("anything").toMatch(new RegExp(regexp));
      }
      for (const protocol of ["irc", "fake/", "FAKE", "__proto__"])
        expect(await ask(`${app}/thirdparty/protocol/${encoded(protocol)}`)).toMatchObject(notFound);
    });

    it.each(oddNames)("where the channel %s is on Matrix, and back", async (name) => {
      await open(channels(name));
      const location = { alias: `#fake_${name}:faults.test`, protocol: "fake", fields: { channel: name } };
      expect(await ask(`${app}/thirdparty/location/fake`, { channel: name })).toEqual({
        status: 200,
        body: [location],
      });
      expect(await ask(`${app}/thirdparty/location`, { alias: location.alias })).toEqual({
        status: 200,
        body: [location],
      });
      expect(
        await stage.alice.requestJson(
          "GET",
          `/_matrix/client/v3/thirdparty/location/fake?${new URLSearchParams({ channel: name }).toString()}`,
        ),
      ).toEqual([location]);
    });

    it("for channels that are nowhere, or that no alias can name", async () => {
      const unnameable = ["a:b", "a b", "x".repeat(300)];
      await open(channels(...unnameable));
      for (const channel of ["nowhere", "mistyped", "", ...unnameable])
        expect(await ask(`${app}/thirdparty/location/fake`, { channel })).toEqual({ status: 200, body: [] });
      expect(await ask(`${app}/thirdparty/location/fake`)).toEqual({ status: 200, body: [] });
      expect(await ask(`${app}/thirdparty/location/irc`, { channel: "a" })).toMatchObject(notFound);
      for (const alias of [
        "#fake_nowhere:faults.test",
        "#weather:faults.test",
        "#fake_weather:elsewhere.test",
        "",
        "x",
      ])
        expect(await ask(`${app}/thirdparty/location`, { alias })).toEqual({ status: 200, body: [] });
      expect(await ask(`${app}/thirdparty/location`)).toEqual({ status: 200, body: [] });
    });

    it("who a person is on Matrix, and back", async () => {
      await open(people("ann", "Ünal/2"));
      for (const name of ["ann", "Ünal/2"]) {
        const found = await ask(`${app}/thirdparty/user/fake`, { user: name });
        expect(found).toMatchObject({ status: 200, body: [{ protocol: "fake", fields: { user: name } }] });
        const [{ userid }] = found.body as [{ userid: string }];
        expect(stage.homeserver.userIds()).toContain(userid);
        expect(await ask(`${app}/thirdparty/user`, { userid })).toEqual(found);
      }
    });

    it("for people who are nobody", async () => {
      await open(people("ann"));
      for (const fields of [{ user: "nobody" }, { user: "" }, {}, { channel: "ann" }])
        expect(await ask(`${app}/thirdparty/user/fake`, fields as Record<string, string>)).toEqual({
          status: 200,
          body: [],
        });
      expect(await ask(`${app}/thirdparty/user/irc`, { user: "ann" })).toMatchObject(notFound);
      expect(await ask(`${app}/thirdparty/user/fake`, { user: "unreachable" })).toMatchObject({
        status: 503,
        body: { errcode: "M_UNKNOWN" },
      });
      for (const userid of ["@fake_nobody:faults.test", stage.alice.userId, "@fakebot:faults.test", "", "x"])
        expect(await ask(`${app}/thirdparty/user`, { userid })).toEqual({ status: 200, body: [] });
    });

    it("and a bridge without alias namespace has no places to name", async () => {
      await open(channels("weather"), { registration: { protocols: ["fake"] } });
      expect(await ask(`${app}/thirdparty/location/fake`, { channel: "weather" })).toEqual({ status: 200, body: [] });
      expect(await ask(`${app}/rooms/${encoded("#fake_weather:faults.test")}`)).toMatchObject(notFound);
    });
  });

  it("with the wrong token, a wrong method or a broken path, and learns nothing but what is wrong", async () => {
    const asked: string[] = [];
    await open({
      resolveUser: (wanted) => (asked.push(wanted), Promise.resolve(null)),
      resolveChannel: (wanted) => (asked.push(wanted), Promise.resolve(null)),
    });
    const paths = [
      `${app}/users/${encoded("@fake_ann:faults.test")}`,
      `${app}/rooms/${encoded("#fake_a:faults.test")}`,
      `${app}/thirdparty/user/fake`,
      `${app}/thirdparty/location/fake`,
    ];
    for (const path of paths) {
      expect(await ask(path, {}, {})).toMatchObject({ status: 401 });
      expect(await ask(path, {}, { authorization: "Bearer wrong" })).toMatchObject({
        status: 403,
        body: { errcode: "M_FORBIDDEN" },
      });
      const posted = await fetch(stage.trestle.url + path, {
        method: "POST",
        headers: { authorization: `Bearer ${token}` },
      });
      expect({ status: posted.status, body: await posted.json() }).toMatchObject({
        status: 405,
        body: { errcode: "M_UNRECOGNIZED" },
      });
    }
    expect(asked).toEqual([]);
    const broken = await fetch(`${stage.trestle.url}${app}/users/%E0%A4%A`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect({ status: broken.status, body: await broken.json() }).toMatchObject({
      status: 400,
      body: { errcode: "M_INVALID_PARAM" },
    });
    const query = { access_token: token, user: "nobody" };
    expect(await ask(`/_matrix/app/unstable/thirdparty/user/fake`, query, {})).toEqual({ status: 200, body: [] });
    expect(asked).toEqual(["nobody"]);
  });
});
