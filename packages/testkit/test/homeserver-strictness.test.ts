import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { TestClient } from "@trestle/testkit";
import { Homeserver } from "@trestle/testkit";
import { registration, ServiceCaller } from "./homeserver-support.js";

describe("a homeserver as strict as Synapse", () => {
  let hs: Homeserver;
  let alice: TestClient;
  let roomId: string;

  beforeEach(async () => {
    hs = await Homeserver.start({ registrations: [registration(null)], expectDeviations: true });
    alice = hs.createClient("alice");
    roomId = await alice.createRoom({ preset: "public_chat" });
  });
  afterEach(() => hs.stop());

  const put = async (body: string, type = "m.room.message"): Promise<{ status: number; errcode: unknown }> => {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/${type}/${alice.nextTransactionId()}`;
    const answer = await fetch(hs.url + path, {
      method: "PUT",
      headers: { authorization: `Bearer ${alice.accessToken}`, "content-type": "application/json" },
      body,
    });
    const json: unknown = await answer.json();
    const errcode: unknown = typeof json === "object" && json !== null && "errcode" in json ? json.errcode : undefined;
    return { status: answer.status, errcode };
  };

  it.each([
    ["a float", '{"msgtype":"m.text","body":"x","n":1.5}', 400, "M_BAD_JSON"],
    ["an integer beyond 2^53", '{"msgtype":"m.text","body":"x","n":[{"m":9007199254740993}]}', 400, "M_BAD_JSON"],
    ["a body that is no string", `{"msgtype":"m.text","body":5}`, 400, "M_UNKNOWN"],
    ["half a surrogate pair", '{"msgtype":"m.text","body":"\\ud83d"}', 400, "M_BAD_JSON"],
    ["half a surrogate pair in a key", '{"msgtype":"m.text","body":"x","\\udc00":1}', 400, "M_BAD_JSON"],
    ["what is not JSON", "{", 400, "M_NOT_JSON"],
    ["a list", "[]", 400, "M_BAD_JSON"],
    ["more than 64 KiB", JSON.stringify({ msgtype: "m.text", body: "x".repeat(65_000) }), 413, "M_TOO_LARGE"],
    ["more than 64 KiB of UTF-8", JSON.stringify({ msgtype: "m.text", body: "ä".repeat(32_500) }), 413, "M_TOO_LARGE"],
  ])("refuses %s", async (_what, body, status, errcode) => {
    expect(await put(body)).toEqual({ status, errcode });
  });

  it.each([
    ["NUL", '{"msgtype":"m.text","body":"a\\u0000b"}'],
    ["a whole surrogate pair", '{"msgtype":"m.text","body":"\\ud83d\\ude00"}'],
    ["almost 64 KiB", JSON.stringify({ msgtype: "m.text", body: "x".repeat(63_000) })],
    ["large but exact integers", '{"msgtype":"m.text","body":"x","n":9007199254740991}'],
  ])("accepts %s", async (_what, body) => {
    expect((await put(body)).status).toBe(200);
  });

  it("refuses ids beyond 255 bytes", async () => {
    expect(await put('{"msgtype":"m.text","body":"x"}', `m.${"x".repeat(260)}`)).toMatchObject({
      status: 413,
      errcode: "M_TOO_LARGE",
    });
    const as = new ServiceCaller(hs);
    const long = await as.ghost(`irc_${"x".repeat(300)}`);
    const join = await as.call("POST", `/_matrix/client/v3/join/${encodeURIComponent(roomId)}`, { body: {}, as: long });
    expect(join).toMatchObject({ status: 413, body: { errcode: "M_TOO_LARGE" } });
    await expect(alice.setState(roomId, "m.x", {}, "ü".repeat(130))).rejects.toMatchObject({ status: 413 });
  });

  it("limits names of users, and knows events and rooms or says so", async () => {
    await expect(alice.setDisplayName("x".repeat(257))).rejects.toMatchObject({ status: 400 });
    await alice.setDisplayName("😀".repeat(256));
    await expect(alice.event(roomId, "$nothing")).rejects.toMatchObject({ status: 404, errcode: "M_NOT_FOUND" });
    await expect(alice.sendText("!nowhere:localhost.test", "x")).rejects.toMatchObject({ status: 403 });
    await expect(alice.join("#nowhere:localhost.test")).rejects.toMatchObject({ status: 404 });
    const path = `/_matrix/client/v3/profile/${encodeURIComponent("@nobody:localhost.test")}`;
    await expect(alice.request("GET", path)).rejects.toMatchObject({ status: 404 });
  });

  it("answers unknown paths with 404 and known ones by another method with 405", async () => {
    await expect(alice.request("GET", "/_matrix/client/v3/no/such/thing")).rejects.toMatchObject({
      status: 404,
      errcode: "M_UNRECOGNIZED",
    });
    await expect(alice.request("DELETE", "/_matrix/client/v3/createRoom")).rejects.toMatchObject({
      status: 405,
      errcode: "M_UNRECOGNIZED",
    });
    const preflight = await fetch(`${hs.url}/_matrix/client/v3/createRoom`, { method: "OPTIONS" });
    expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([200, "*"]);
    await expect(alice.request("GET", "/_matrix/client/v3/room_keys/version")).rejects.toMatchObject({ status: 404 });
  });

  it("leaves an application service's unregistered sender without a profile", async () => {
    const as = new ServiceCaller(hs);
    const profile = `/_matrix/client/v3/profile/${encodeURIComponent("@ircbot:localhost.test")}`;
    expect((await as.call("POST", "/_matrix/client/v3/createRoom", { body: {} })).status).toBe(200);
    expect((await as.call("GET", profile)).status).toBe(404);
    expect((await as.call("PUT", `${profile}/displayname`, { body: { displayname: "Bot" } })).status).toBe(500);
    await as.ghost("ircbot");
    expect((await as.call("PUT", `${profile}/displayname`, { body: { displayname: "Bot" } })).status).toBe(200);
    expect((await as.call("GET", `${profile}/displayname`)).body).toEqual({ displayname: "Bot" });
  });

  it("registers and logs in ordinary users", async () => {
    const post = (path: string, body: object): Promise<Response> =>
      fetch(`${hs.url}/_matrix/client/v3${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    expect((await post("/register", { username: "carol", password: "secret" })).status).toBe(401);
    const made = await post("/register", { username: "carol", password: "secret", auth: { type: "m.login.dummy" } });
    expect(await made.json()).toMatchObject({ user_id: "@carol:localhost.test" });
    const identifier = { type: "m.id.user", user: "carol" };
    expect((await post("/login", { type: "m.login.password", identifier, password: "wrong" })).status).toBe(403);
    const session = await post("/login", {
      type: "m.login.password",
      identifier,
      password: "secret",
      device_id: "PHONE",
    });
    expect(await session.json()).toMatchObject({ user_id: "@carol:localhost.test", device_id: "PHONE" });
    const bad = await post("/register", { username: "Carol!", auth: { type: "m.login.dummy" } });
    expect(await bad.json()).toMatchObject({ errcode: "M_INVALID_USERNAME" });
  });
});
