import { describe, expect, it } from "@jest/globals";
import type { SpecExchange } from "@trestle/testkit";
import { Homeserver, specValidator, SpecDeviationError, SpecProxy, TestClient } from "@trestle/testkit";
import { FakeService, registration, ServiceCaller } from "./homeserver-support.js";

const validator = specValidator();
if (validator === undefined) {
  process.stdout.write("homeserver-spec: skipped, ../shared/data/matrix-spec is not beside the project\n");
}

const exchange = (changes: Partial<SpecExchange>): SpecExchange => ({
  api: "client-server",
  method: "PUT",
  path: "/_matrix/client/v3/rooms/!r%3Ax/send/m.room.message/1",
  query: new URLSearchParams(),
  requestType: "application/json",
  requestBody: '{"msgtype":"m.text","body":"x"}',
  status: 200,
  responseType: "application/json",
  responseBody: '{"event_id":"$e"}',
  peer: "test",
  ...changes,
});

(validator === undefined ? describe.skip : describe)("validation against the specification", () => {
  const problems = (changes: Partial<SpecExchange>): string[] =>
    (validator?.check(exchange(changes)) ?? []).map(({ side, problem }) => `${side}: ${problem}`);

  it("compiles every operation", () => {
    const names = validator?.compileAll() ?? [];
    expect(names.length).toBeGreaterThan(150);
    expect(names).toContain("PUT /_matrix/app/v1/transactions/{txnId}");
    expect(names).toContain("PUT /_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}");
  }, 30_000);

  it("finds nothing where nothing is wrong", () => {
    expect(problems({})).toEqual([]);
    expect(problems({ query: new URLSearchParams({ user_id: "@a:x", ts: "5" }) })).toEqual([]);
    expect(problems({ status: 403, responseBody: '{"errcode":"M_FORBIDDEN"}' })).toEqual([]);
    expect(problems({ path: "/_matrix/client/unstable/org.example/x" })).toEqual([]);
  });

  it.each<[string, Partial<SpecExchange>, string]>([
    ["an unknown path", { path: "/_matrix/client/v3/no/such" }, "no such operation"],
    ["an unknown query parameter", { query: new URLSearchParams({ foo: "1" }) }, "query parameter foo"],
    ["a wrong path parameter", { path: "/_matrix/client/v3/rooms/r/send/m.room.message/1" }, "path parameter roomId"],
    ["a body that is not an object", { requestBody: "[]" }, "body"],
    ["a wrong content type", { requestType: "text/plain" }, "content type"],
    ["a content that does not fit its type", { requestBody: '{"msgtype":"m.image","body":"x"}' }, ""],
    ["a content without what its type needs", { requestBody: '{"msgtype":"m.text"}' }, "content of m.room.message"],
    ["an answer without its keys", { responseBody: "{}" }, "event_id"],
    ["an answer that is no JSON", { responseBody: "<html>" }, "not JSON"],
    ["a status nobody expects", { status: 202 }, "status 202"],
    ["an error that is no error", { status: 403, responseBody: "{}" }, "response:"],
  ])("finds %s", (what, changes, expected) => {
    const found = problems(changes).join("\n");
    if (what.startsWith("a content that does not fit")) expect(found).toBe("");
    else expect(found).toContain(expected);
  });

  it("looks at transactions both ways", () => {
    const transaction = (body: object, responseBody = "{}"): string[] =>
      problems({
        api: "application-service",
        path: "/_matrix/app/v1/transactions/1",
        requestBody: JSON.stringify(body),
        responseBody,
      });
    expect(transaction({ events: [] })).toEqual([]);
    expect(transaction({})).not.toEqual([]);
    expect(transaction({ events: [{ type: "m.x" }] })).not.toEqual([]);
    expect(transaction({ events: [] }, "[]")).not.toEqual([]);
  });

  it("makes stop() reject with a list of what deviated", async () => {
    const service = await FakeService.start();
    service.answer = ({ path }) => (path.includes("/transactions/") ? { status: 200, text: "[]" } : undefined);
    const hs = await Homeserver.start({ registrations: [registration(service.url)] });
    const as = new ServiceCaller(hs);
    const alice = hs.createClient("alice");
    const roomId = await alice.createRoom({ preset: "public_chat" });
    await as.ghost("irc_bob", roomId);
    await as.call("GET", "/_matrix/client/v3/account/whoami", { query: { nonsense: "1" } });
    await hs.delivered("irc");
    const error: unknown = await hs.stop().catch((reason: unknown) => reason);
    if (!(error instanceof SpecDeviationError)) throw new Error("stop() did not reject with the deviations");
    expect(error.message).toContain(
      "GET /_matrix/client/v3/account/whoami (irc, status 200): query parameter nonsense",
    );
    expect(error.message).toContain("PUT /_matrix/app/v1/transactions/{txnId}");
    expect(hs.specDeviations).toEqual([]);
    await hs.stop();
    await service.close();
  });

  it("passes traffic through a proxy and notes what deviates", async () => {
    const hs = await Homeserver.start({ validate: false });
    const user = hs.createUser("alice");
    const proxy = await SpecProxy.start({ target: hs.url, api: "client-server", peer: "bridge" });
    const alice = new TestClient(proxy.url, user.accessToken, user.userId);
    const roomId = await alice.createRoom();
    await alice.sendText(roomId, "through");
    expect(hs.room(roomId).messages()).toHaveLength(1);
    expect(proxy.deviations).toEqual([]);
    await alice.request("GET", "/_matrix/client/v3/account/whoami", { query: { nonsense: 1 } });
    expect(proxy.deviations).toMatchObject([{ peer: "bridge", side: "request" }]);
    expect(proxy.exchanges).toBe(3);
    await proxy.close();
    await expect(alice.whoami()).rejects.toThrow("ECONNREFUSED");
    await hs.stop();
  });
});
