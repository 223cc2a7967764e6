import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { Homeserver, HomeserverProcess, ManualClock } from "@trestle/testkit";
import { registration, ServiceCaller, text } from "./homeserver-support.js";

describe("a clock that tests advance", () => {
  let hs: Homeserver;
  let clock: ManualClock;
  beforeEach(async () => {
    clock = new ManualClock();
    hs = await Homeserver.start({ clock });
  });
  afterEach(() => hs.stop());

  it("stamps events and measures their age", async () => {
    const alice = hs.createClient("alice");
    const roomId = await alice.createRoom();
    const eventId = await alice.sendText(roomId, "x");
    const sentAt = clock.now();
    await hs.advance(5_000);
    expect(await alice.event(roomId, eventId)).toMatchObject({ origin_server_ts: sentAt, unsigned: { age: 5_000 } });
  });

  it("ends typing and uploads that never came", async () => {
    const alice = hs.createClient("alice");
    const roomId = await alice.createRoom();
    await alice.setTyping(roomId, true, 10_000);
    await hs.advance(9_999);
    expect(hs.room(roomId).typing()).toEqual([alice.userId]);
    await hs.advance(1);
    expect(hs.room(roomId).typing()).toEqual([]);
    const { content_uri: uri } = await alice.request("POST", "/_matrix/media/v1/create", { body: {} });
    const path = `/_matrix/media/v3/upload/${text(uri).slice(6)}`;
    await hs.advance(24 * 3_600_000 + 1);
    expect((await alice.exchange("PUT", path, { content: "x", contentType: "text/plain" })).status).toBe(404);
  });

  it("stands still by itself, and belongs to the homeserver that was given it", async () => {
    const before = clock.now();
    hs.createUser("carol");
    expect(clock.now()).toBe(before);
    const other = await Homeserver.start();
    await expect(other.advance(1)).rejects.toThrow("ManualClock");
    await other.stop();
  });

  it("refills the buckets of the rate limits", async () => {
    hs.addAppService(registration(null, { rate_limited: true }));
    const as = new ServiceCaller(hs);
    const alice = hs.createClient("alice");
    const roomId = await alice.createRoom({ preset: "public_chat" });
    const ghost = await as.ghost("irc_bob", roomId);
    hs.faults.rateLimits = true;
    const send = async (who: string, index: number): Promise<number> =>
      (await as.send(roomId, who, "x", `${who}${index}`)).status;
    for (let index = 0; index < 10; index++) expect(await send(ghost, index)).toBe(200);
    const limited = await as.send(roomId, ghost, "x", "more");
    expect(limited).toMatchObject({ status: 429, body: { errcode: "M_LIMIT_EXCEEDED", retry_after_ms: 5_000 } });
    expect(limited.headers["retry-after"]).toBe("5");
    await hs.advance(5_000);
    expect(await send(ghost, 10)).toBe(200);
    expect(await send(ghost, 11)).toBe(429);
    expect((await as.call("POST", "/_matrix/client/v3/createRoom", { body: {} })).status).toBe(200);
  });

  it("also moves in a process of its own", async () => {
    const other = await HomeserverProcess.start({ clock: "manual", profile: "spec" });
    const alice = await other.createClient("alice");
    const roomId = await alice.createRoom();
    const eventId = await alice.sendText(roomId, "x");
    await other.control("advance", { ms: 1_000 });
    expect(await alice.event(roomId, eventId)).toMatchObject({ unsigned: { age: 1_000 } });
    expect(await other.stop()).toBe(0);
  });
});
