import { afterEach, describe, expect, it } from "@jest/globals";
import { HomeserverProcess } from "@trestle/testkit";
import { content, FakeService, list, record, registration } from "./homeserver-support.js";

describe("a homeserver in a process of its own", () => {
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    await Promise.all(ends.splice(0).map((end) => end()));
  });

  it("is driven through its control endpoint", async () => {
    const service = await FakeService.start();
    ends.push(() => service.close());
    const hs = await HomeserverProcess.start({ serverName: "localhost.test", retry: { firstMs: 1, maxMs: 10 } });
    ends.push(() => hs.stop("SIGKILL"));
    await hs.control("add-appservice", registration(service.url));
    const alice = await hs.createClient("alice");
    const roomId = await alice.createRoom({ preset: "public_chat", invite: ["@irc_x:localhost.test"] });
    await service.until(() => service.transactions.length > 0);
    await hs.control("faults", { duplicateTransactions: 1 });
    await hs.control("send-event", {
      room_id: roomId,
      sender: "@alice:localhost.test",
      type: "m.room.member",
      state_key: "@irc_y:localhost.test",
      content: { membership: "invite" },
    });
    await service.until(() => service.transactions.length >= 3);
    const invited = service.events.filter((event) => content(event)["membership"] === "invite");
    expect(invited.map((event) => event["state_key"])).toEqual([
      "@irc_x:localhost.test",
      "@irc_y:localhost.test",
      "@irc_y:localhost.test",
    ]);
    const fault = record(await hs.control("faults/answer", { status: 503, filter: { route: "/whoami", times: 1 } }));
    await expect(alice.whoami()).rejects.toMatchObject({ status: 503 });
    expect(record(await hs.control("faults/applied", { id: Number(fault["id"]) }))["applied"]).toBe(1);
    await alice.whoami();
    await hs.control("stop-listening");
    await expect(alice.whoami()).rejects.toThrow("ECONNREFUSED");
    await hs.control("start-listening");
    await hs.control("restart", { forgetTransactions: true });
    await alice.sendText(roomId, "after");
    const found = await hs.control("wait-for", { event: { type: "m.room.message", content: { body: "after" } } });
    expect(record(found)["sender"]).toBe("@alice:localhost.test");
    expect(list(await hs.control("timeline", { room_id: roomId, type: "m.room.message" }))).toHaveLength(1);
    expect(record(await hs.control("requests"))["GET /_matrix/client/v3/account/whoami"]).toBe(2);
    expect(record(await hs.control("pushes", { id: "irc" }))["down"]).toBe(false);
    await expect(hs.control("no-such-command")).rejects.toThrow("no command");
    await expect(hs.control("faults", { nonsense: 1 })).rejects.toThrow("nonsense");
    expect(await hs.control("deviations")).toEqual([]);
    expect(await hs.stop()).toBe(0);
  });

  it("ends with the one who started it", async () => {
    const hs = await HomeserverProcess.start();
    ends.push(() => hs.stop("SIGKILL"));
    const ended = new Promise((resolve) => hs.child.once("exit", resolve));
    hs.child.stdin?.end();
    expect(await ended).toBe(0);
  });

  it("says what is wrong with its options", async () => {
    await expect(HomeserverProcess.start({ defaultRoomVersion: "3" })).rejects.toThrow(
      'ended at once with code 1: homeserver: defaultRoomVersion: expected "11" or "12"',
    );
  });
});
