import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { TestClient } from "@trestle/testkit";
import { Homeserver } from "@trestle/testkit";
import { registration, ServiceCaller } from "./homeserver-support.js";

describe("media", () => {
  let hs: Homeserver;
  let alice: TestClient;
  let bob: TestClient;

  beforeEach(async () => {
    hs = await Homeserver.start({ registrations: [registration(null, { rate_limited: true })] });
    alice = hs.createClient("alice");
    bob = hs.createClient("bob");
  });
  afterEach(() => hs.stop());

  const give = (mxc: string, who: TestClient, content: string): Promise<Response> =>
    fetch(`${hs.url}/_matrix/media/v3/upload/${mxc.slice("mxc://".length)}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${who.accessToken}`, "content-type": "text/plain" },
      body: content,
    });

  it("is uploaded at once and downloaded with a token only", async () => {
    const mxc = await alice.upload(Buffer.from("hello"), "text/plain; charset=utf-8", "grüße.txt");
    expect(mxc).toMatch(/^mxc:\/\/localhost\.test\/[A-Za-z]+$/u);
    const got = await bob.download(mxc);
    expect(got.content.toString()).toBe("hello");
    expect(got.contentType).toBe("text/plain; charset=utf-8");
    expect(got.disposition).toBe("inline; filename*=utf-8''gr%C3%BC%C3%9Fe.txt");
    const path = `/_matrix/client/v1/media/download/${mxc.slice(6)}`;
    expect((await fetch(hs.url + path)).status).toBe(401);
    expect((await fetch(`${hs.url}/_matrix/media/v3/download/${mxc.slice(6)}`)).status).toBe(404);
    await expect(bob.download("mxc://localhost.test/none")).rejects.toMatchObject({ status: 404 });
    const html = await alice.upload(Buffer.from("<script>"), "text/html", 'a "b".html');
    expect((await bob.download(html)).disposition).toMatch(/^attachment; filename\*=/u);
  });

  it("is created first and given content later, by its creator alone", async () => {
    const { content_uri: mxc, unused_expires_at: expires } = await alice.request("POST", "/_matrix/media/v1/create");
    if (typeof mxc !== "string" || typeof expires !== "number") throw new Error("no content_uri");
    expect(expires).toBeGreaterThan(Date.now());
    const path = `/_matrix/client/v1/media/download/${mxc.slice(6)}`;
    await expect(bob.request("GET", path, { query: { timeout_ms: 0 } })).rejects.toMatchObject({
      status: 504,
      errcode: "M_NOT_YET_UPLOADED",
    });
    expect((await give(mxc, bob, "mine")).status).toBe(403);
    const waiting = bob.download(mxc);
    expect((await give(mxc, alice, "hers")).status).toBe(200);
    expect((await waiting).content.toString()).toBe("hers");
    expect((await give(mxc, alice, "again")).status).toBe(409);
  });

  it("limits reservations of limited application services for a day", async () => {
    const as = new ServiceCaller(hs);
    const ghost = await as.ghost("irc_bob");
    for (let index = 0; index < 5; index++) {
      expect((await as.call("POST", "/_matrix/media/v1/create", { as: ghost })).status).toBe(200);
    }
    const refused = await as.call("POST", "/_matrix/media/v1/create", { as: ghost });
    expect(refused).toMatchObject({ status: 429, body: { errcode: "M_LIMIT_EXCEEDED", retry_after_ms: 86_400_000 } });
    expect(refused.headers["retry-after"]).toBe("86400");
    hs.faults.missingAsyncUpload = true;
    await expect(alice.request("POST", "/_matrix/media/v1/create")).rejects.toMatchObject({
      errcode: "M_UNRECOGNIZED",
    });
  });

  it("answers config and thumbnails", async () => {
    expect(await alice.request("GET", "/_matrix/client/v1/media/config")).toEqual({ "m.upload.size": 52_428_800 });
    const mxc = await alice.upload(Buffer.from([1, 2, 3]), "image/png");
    const path = `/_matrix/client/v1/media/thumbnail/${mxc.slice(6)}`;
    const headers = { authorization: `Bearer ${bob.accessToken}` };
    const answer = await fetch(`${hs.url}${path}?width=32&height=32&method=scale`, { headers });
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "image/png"]);
    expect((await fetch(`${hs.url}${path}`, { headers })).status).toBe(400);
  });
});
