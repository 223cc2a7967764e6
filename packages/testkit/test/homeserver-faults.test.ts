import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { TestClient } from "@trestle/testkit";
import { Homeserver } from "@trestle/testkit";
import type { Transaction } from "./homeserver-support.js";
import { content, FakeService, list, poll, registration, ServiceCaller } from "./homeserver-support.js";
import { freePort } from "../../../test/support/bounded.js";

const SEND = "/send/{eventType}/{txnId}";

describe("fault switches", () => {
  let service: FakeService;
  let hs: Homeserver;
  let as: ServiceCaller;
  let alice: TestClient;
  let roomId: string;
  let ghost: string;

  beforeEach(async () => {
    service = await FakeService.start();
    hs = await Homeserver.start({
      port: await freePort(),
      registrations: [
        registration(service.url, { receive_ephemeral: true, "de.sorunome.msc2409.push_ephemeral": true }),
      ],
      retry: { firstMs: 1, maxMs: 4 },
    });
    as = new ServiceCaller(hs);
    alice = hs.createClient("alice");
    roomId = await alice.createRoom({ preset: "public_chat" });
    ghost = await as.ghost("irc_bob", roomId);
    await hs.delivered("irc");
    service.received.length = 0;
  });
  afterEach(async () => {
    try {
      await hs.stop();
    } finally {
      await service.close();
    }
  });

  const ids = (): string[] => service.transactions.map((transaction) => transaction.id);
  const eventIds = (transaction: Transaction | undefined): unknown[] =>
    transaction!.events.map((event) => event["event_id"]);

  it("forgets what is in no transaction yet when it is killed, and keeps it in the room", async () => {
    hs.faults.transactionDelayMs = 60_000;
    await alice.sendText(roomId, "in a transaction");
    await poll(() => hs.pushState("irc").pending > 0);
    await alice.sendText(roomId, "forgotten 1");
    await alice.sendText(roomId, "forgotten 2");
    expect(await hs.kill()).toBe(2);
    await expect(alice.whoami()).rejects.toThrow();
    hs.faults.transactionDelayMs = 0;
    await hs.start({ forgetTransactions: true });
    await alice.sendText(roomId, "after");
    await hs.delivered("irc");
    expect(service.bodies).toEqual(["in a transaction", "after"]);
    expect(ids()[0]).toBe("1");
    expect(
      hs
        .room(roomId)
        .messages()
        .map((event) => content(event)["body"]),
    ).toEqual(["in a transaction", "forgotten 1", "forgotten 2", "after"]);
  });

  it("sends a transaction again after it was accepted", async () => {
    hs.faults.duplicateTransactions = 2;
    await alice.sendText(roomId, "x");
    await hs.delivered("irc");
    expect(service.bodies).toEqual(["x", "x", "x"]);
    expect(new Set(ids()).size).toBe(1);
  });

  it("sends a transaction again after the next one", async () => {
    hs.faults.lateDuplicates = 1;
    for (const body of ["x", "y"]) {
      await alice.sendText(roomId, body);
      await hs.delivered("irc");
    }
    expect(service.bodies).toEqual(["x", "y", "x"]);
    expect(ids()).toEqual(["2", "3", "2"]);
  });

  it("repeats events in new transactions", async () => {
    hs.faults.repeatEvents = 1;
    await alice.sendText(roomId, "x");
    await hs.delivered("irc");
    expect(service.bodies).toEqual(["x", "x"]);
    expect(new Set(ids()).size).toBe(2);
    expect(eventIds(service.transactions[0])).toEqual(eventIds(service.transactions[1]));
  });

  it("loses answers, so that accepted transactions come again", async () => {
    hs.faults.loseTransactionAnswers = 1;
    await alice.sendText(roomId, "x");
    await service.until(() => service.bodies.length >= 3);
    hs.faults.loseTransactionAnswers = 0;
    await hs.delivered("irc");
    expect(new Set(ids()).size).toBe(1);
  });

  it("restarts the numbering of transactions", async () => {
    await alice.sendText(roomId, "x");
    await hs.delivered("irc");
    hs.resetTransactionIds();
    await alice.sendText(roomId, "y");
    await hs.delivered("irc");
    expect(ids()).toEqual(["2", "1"]);
  });

  it("retries the same id with more events", async () => {
    hs.faults.growRetriedTransactions = true;
    service.answer = ({ body }) => (list(body["events"])!.length < 2 ? { status: 500 } : undefined);
    await alice.sendText(roomId, "a");
    await poll(() => hs.pushState("irc").down);
    await alice.sendText(roomId, "b");
    await hs.delivered("irc");
    expect(new Set(ids()).size).toBe(1);
    expect(service.transactions[0]!.events).toHaveLength(1);
    expect(service.transactions.at(-1)!.events.map((event) => content(event)["body"])).toEqual(["a", "b"]);
  });

  it("names transactions by their content", async () => {
    hs.faults.transactionIds = "content-hash";
    for (let round = 0; round < 2; round++) {
      await alice.setTyping(roomId, true);
      await hs.delivered("irc");
      await alice.setTyping(roomId, false);
      await hs.delivered("irc");
    }
    const all = ids();
    expect(all).toHaveLength(4);
    expect(all.slice(0, 2)).toEqual(all.slice(2));
    expect(all[0]).not.toBe(all[1]);
  });

  it("sends a slow transaction again while the first handler runs", async () => {
    hs.faults.transactionTimeoutMs = 40;
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    let first = true;
    service.answer = async () => {
      if (!first) return undefined;
      first = false;
      await gate;
      return undefined;
    };
    await alice.sendText(roomId, "slow");
    await poll(() => service.transactions.length >= 2);
    release();
    await hs.delivered("irc");
    expect(new Set(ids()).size).toBe(1);
    expect(new Set(service.bodies)).toEqual(new Set(["slow"]));
  });

  it("carries ephemeral events under both names, one, or none", async () => {
    const typing = async (on: boolean): Promise<Transaction> => {
      await alice.setTyping(roomId, on);
      await hs.delivered("irc");
      return service.transactions.at(-1)!;
    };
    const both = await typing(true);
    expect(both.ephemeral).toEqual(both.unstableEphemeral);
    hs.faults.ephemeralNames = "unstable";
    expect((await typing(false)).ephemeral).toBeUndefined();
    hs.faults.ephemeralNames = "stable";
    expect((await typing(true)).unstableEphemeral).toBeUndefined();
    const before = service.transactions.length;
    hs.faults.loseEphemeral = 1;
    await typing(false);
    expect(service.transactions).toHaveLength(before);
  });

  it("gives its token in the query, on un-prefixed paths", async () => {
    hs.faults.token = "query";
    hs.faults.legacyPaths = true;
    await alice.sendText(roomId, "x");
    await hs.delivered("irc");
    expect(service.received[0]).toMatchObject({ path: "/transactions/2", authorization: undefined });
    expect(service.received[0]!.query.get("access_token")).toBe("hs-token");
  });

  it("pushes an event before its sender has the answer", async () => {
    hs.faults.pushBeforeResponse = true;
    const order: string[] = [];
    service.answer = () => {
      order.push("pushed");
      return undefined;
    };
    await as.send(roomId, ghost, "echo", "t1");
    order.push("answered");
    expect(order).toEqual(["pushed", "answered"]);
  });

  it("answers chosen requests with an error, so many times", async () => {
    const fault = hs.faults.answer(
      { status: 429, retryAfterMs: 86_400_000 },
      { method: "PUT", route: SEND, userId: ghost, times: 2 },
    );
    for (const txnId of ["a", "a"]) {
      const answer = await as.send(roomId, ghost, "x", txnId);
      expect(answer).toMatchObject({ status: 429, body: { errcode: "M_LIMIT_EXCEEDED", retry_after_ms: 86_400_000 } });
      expect(answer.headers["retry-after"]).toBe("86400");
    }
    await alice.sendText(roomId, "not hers");
    expect((await as.send(roomId, ghost, "x", "a")).status).toBe(200);
    expect(fault.applied).toBe(2);
    expect(
      hs
        .room(roomId)
        .messages()
        .map((event) => content(event)["body"]),
    ).toEqual(["not hers", "x"]);
    hs.faults.answer({ status: 502, html: true }, { fromAppService: true, times: 1 });
    const html = await fetch(`${hs.url}/_matrix/client/v3/account/whoami`, {
      headers: { authorization: "Bearer as-token" },
    });
    expect([html.status, html.headers.get("content-type")]).toEqual([502, "text/html"]);
    expect((await alice.whoami())["user_id"]).toBe(alice.userId);
  });

  it("draws the same probabilities from the same seed", async () => {
    const draw = async (): Promise<boolean[]> => {
      const other = await Homeserver.start({ seed: 42, validate: false });
      const user = other.createClient("u");
      other.faults.answer({ status: 500 }, { probability: 0.5 });
      const results: boolean[] = [];
      for (let index = 0; index < 30; index++) {
        results.push(
          await user.whoami().then(
            () => true,
            () => false,
          ),
        );
      }
      await other.stop();
      return results;
    };
    const first = await draw();
    expect(await draw()).toEqual(first);
    expect(new Set(first).size).toBe(2);
  });

  it("drops the connection before or after the request was applied", async () => {
    hs.faults.drop("before", { route: SEND, times: 1 });
    await expect(as.send(roomId, ghost, "x", "t1")).rejects.toThrow();
    expect(hs.room(roomId).messages()).toHaveLength(0);
    hs.faults.drop("after", { route: SEND, times: 1 });
    await expect(as.send(roomId, ghost, "x", "t1")).rejects.toThrow();
    expect(hs.room(roomId).messages()).toHaveLength(1);
    expect((await as.send(roomId, ghost, "x", "t1")).body["event_id"]).toBe(hs.room(roomId).messages()[0]!["event_id"]);
    expect(hs.room(roomId).messages()).toHaveLength(1);
  });

  it("delays requests", async () => {
    hs.faults.delay(30, { route: SEND, times: 1 });
    const order: string[] = [];
    const slow = alice.sendText(roomId, "slow").then(() => order.push("slow"));
    await poll(() => hs.requests.total > 0);
    const fast = alice.whoami().then(() => order.push("fast"));
    await Promise.all([slow, fast]);
    expect(order).toEqual(["fast", "slow"]);
  });

  it("recognises client transactions as Synapse or as tuwunel do", async () => {
    const other = await as.ghost("irc_carol", roomId);
    const first = await as.send(roomId, ghost, "one", "same");
    const second = await as.send(roomId, other, "two", "same");
    expect(second.body["event_id"]).toBe(first.body["event_id"]);
    hs.faults.clientTransactions = "tuwunel";
    const elsewhere = await alice.createRoom({ preset: "public_chat" });
    await as.call("POST", `/_matrix/client/v3/join/${encodeURIComponent(elsewhere)}`, { body: {}, as: ghost });
    const third = await as.send(roomId, ghost, "three", "again");
    const fourth = await as.send(elsewhere, ghost, "four", "again");
    expect(fourth.body["event_id"]).toBe(third.body["event_id"]);
    const fifth = await as.send(roomId, other, "five", "again");
    expect(fifth.body["event_id"]).not.toBe(third.body["event_id"]);
  });

  it("closes kept-alive connections, and does without ping", async () => {
    hs.faults.missingPing = true;
    expect(await as.call("POST", "/_matrix/client/v1/appservice/irc/ping", { body: {} })).toMatchObject({
      status: 404,
      body: { errcode: "M_UNRECOGNIZED" },
    });
    hs.faults.dropKeepAlive = 1;
    const answer = await fetch(`${hs.url}/_matrix/client/versions`);
    expect(answer.headers.get("connection")).not.toBe("close");
    expect(answer.status).toBe(200);
  });

  it("refuses application services a login, though it made the user", async () => {
    hs.faults.refuseServiceLogin = true;
    const path = "/_matrix/client/v3/register";
    const body = { type: "m.login.application_service", username: "irc_eve" };
    const refused = { status: 400, body: { errcode: "M_APPSERVICE_LOGIN_UNSUPPORTED" } };
    expect(await as.call("POST", path, { body })).toMatchObject(refused);
    expect((await as.call("POST", path, { body: { ...body, inhibit_login: true } })).body["errcode"]).toBe(
      "M_USER_IN_USE",
    );
    const identifier = { type: "m.id.user", user: "irc_eve" };
    expect(await as.call("POST", "/_matrix/client/v3/login", { body: { type: body.type, identifier } })).toMatchObject(
      refused,
    );
  });

  it("can be set by name, and are all put back at once", () => {
    hs.faults.assign({ duplicateTransactions: 3, transactionIds: "content-hash" });
    expect(hs.faults.toJSON()).toMatchObject({
      duplicateTransactions: 3,
      transactionIds: "content-hash",
      missingPing: false,
    });
    expect(() => hs.faults.assign({ noSuchFault: true })).toThrow("noSuchFault");
    expect(() => hs.faults.assign({ transactionIds: "random" })).toThrow("transactionIds");
    hs.faults.clear();
    expect(hs.faults).toMatchObject({ duplicateTransactions: 0, transactionIds: "sequence" });
  });
});

describe("an outage of the homeserver", () => {
  const ends: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    await Promise.allSettled(ends.splice(0).map((end) => end()));
  });

  it("keeps rooms and transactions, or forgets the transactions, on the same port", async () => {
    const service = await FakeService.start();
    ends.push(() => service.close());
    const hs = await Homeserver.start({
      port: await freePort(),
      registrations: [registration(service.url)],
      retry: { firstMs: 1, maxMs: 4 },
    });
    ends.push(() => hs.stop());
    const as = new ServiceCaller(hs);
    const alice = hs.createClient("alice");
    const roomId = await alice.createRoom({ preset: "public_chat" });
    const ghost = await as.ghost("irc_bob", roomId);
    const first = await as.send(roomId, ghost, "one", "t1");
    await hs.delivered("irc");
    const url = hs.url;

    await hs.restart();
    expect(hs.url).toBe(url);
    expect((await as.send(roomId, ghost, "one", "t1")).body).toEqual(first.body);
    expect(hs.room(roomId).messages()).toHaveLength(1);

    service.answer = () => ({ status: 503 });
    await alice.sendText(roomId, "waits");
    await poll(() => hs.pushState("irc").down);
    await hs.restart({ forgetTransactions: true });
    service.answer = () => undefined;
    await hs.delivered("irc");
    expect(service.transactions.at(-1)).toMatchObject({ id: "1" });
    expect(service.bodies.at(-1)).toBe("waits");
    expect((await as.send(roomId, ghost, "one", "t1")).body).not.toEqual(first.body);
    expect(hs.room(roomId).messages()).toHaveLength(3);

    await hs.stop();
    await expect(alice.whoami()).rejects.toThrow("ECONNREFUSED");
    await hs.start();
    expect((await alice.whoami())["user_id"]).toBe(alice.userId);
    await hs.pause();
    await expect(alice.whoami()).rejects.toThrow("ECONNREFUSED");
  });

  it("ends long polls and waits", async () => {
    const hs = await Homeserver.start();
    ends.push(() => hs.stop());
    const alice = hs.createClient("alice");
    const { next_batch: since } = await alice.sync();
    const polled = alice.sync(typeof since === "string" ? since : undefined, 60_000).then(
      () => "answered",
      () => "dropped",
    );
    const waited = hs.waitFor((event) => event["type"] === "never", { timeoutMs: 60_000 }).catch(String);
    await poll(() => hs.requests.total > 0);
    await hs.stop();
    expect(await polled).toBe("dropped");
    expect(await waited).toContain("stopped");
  });
});

describe("the request log", () => {
  it("counts by method and route template", async () => {
    const hs = await Homeserver.start({ requestLogSize: 3 });
    const alice = hs.createClient("alice");
    const roomId = await alice.createRoom();
    hs.requests.reset();
    for (let index = 0; index < 5; index++) await alice.sendText(roomId, "x");
    await alice.whoami();
    expect(hs.requests.count("PUT", SEND)).toBe(5);
    expect(hs.requests.count()).toBe(6);
    expect(hs.requests.count("GET")).toBe(1);
    expect(hs.requests.entries().map(({ method, status, userId }) => [method, status, userId])).toEqual([
      ["PUT", 200, alice.userId],
      ["PUT", 200, alice.userId],
      ["GET", 200, alice.userId],
    ]);
    await hs.stop();
  });
});
