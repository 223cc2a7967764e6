import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { within } from "../../../../test/support/bounded.js";
import { makeCertificate, type Certificate } from "../../../../test/support/servers/certificate.js";
import { ClientStream } from "../../dist/accounts/connection/client-stream.js";
import type { Place } from "../../dist/accounts/connection/places.js";
import { sameJid } from "../../dist/address/index.js";
import { xml, type Element, type StreamState } from "../../dist/stream/index.js";
import { FakeAccountServer, PASSWORD, type FakeAccountServerOptions } from "../support/fake-account-server.js";

let directory: string;
let certificate: Certificate;
let tls: { key: string; cert: string };
const servers: FakeAccountServer[] = [];
const streams: ClientStream[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "trestle-account-"));
  certificate = await makeCertificate(directory);
  tls = { key: await readFile(certificate.keyFile, "utf8"), cert: certificate.pem };
});
afterAll(() => rm(directory, { recursive: true, force: true }));
afterEach(async () => {
  for (const stream of streams.splice(0)) await stream.close();
  for (const server of servers.splice(0)) await server.stop();
});

interface Wanted {
  readonly place?: Partial<Place>;
  readonly domain?: string;
  readonly password?: string;
  readonly neverShow?: boolean;
  readonly onStanza?: (stanza: Element) => Promise<void> | undefined;
}

async function open(options: FakeAccountServerOptions, wanted: Wanted = {}) {
  const server = await FakeAccountServer.start(options);
  servers.push(server);
  const states: StreamState[] = [];
  const stanzas: Element[] = [];
  const watchers = new Set<() => void>();
  const changed = () => [...watchers].forEach((watcher) => watcher());
  const domain = wanted.domain ?? "localhost";
  const place: Place = { host: "127.0.0.1", port: server.port, security: "starttls", isNamed: true, ...wanted.place };
  const stream = new ClientStream({
    account: {
      jid: `alice@${domain}`,
      local: "alice",
      domain,
      password: wanted.password ?? PASSWORD,
      neverShow: wanted.neverShow ?? false,
      resource: "test",
    },
    places: () => Promise.resolve([place]),
    tuning: { connectTimeoutMs: 5_000, backoffMinMs: 10, backoffMaxMs: 20 },
    sameAddress: sameJid,
    onStanza: (stanza) => {
      stanzas.push(stanza);
      changed();
      return wanted.onStanza?.(stanza);
    },
    onState: (state) => {
      states.push(state);
      changed();
    },
  });
  streams.push(stream);
  stream.start();
  const holds = async (what: string, condition: () => boolean) => {
    let watcher: (() => void) | undefined;
    const found = new Promise<void>((resolve) => {
      watcher = () => condition() && resolve();
      watchers.add(watcher);
      watcher();
    });
    await within(10_000, what, found, () => JSON.stringify(states.slice(-5))).finally(
      () => watcher && watchers.delete(watcher),
    );
  };
  const became = async (state: StreamState["state"], times = 1) => {
    await holds(`${state}, ${times} times`, () => states.filter((each) => each.state === state).length >= times);
    return states.findLast((each) => each.state === state)?.detail ?? "";
  };
  return { server, stream, states, stanzas, holds, became };
}

const trusting = (): Partial<Place> => ({ ca: certificate.pem });
const unencrypted: Partial<Place> = { security: "none" };

describe("the way to the server", () => {
  it.each(["starttls", "direct"] as const)("is encrypted (%s) before anybody signs in", async (security) => {
    const { server, stream, became } = await open(
      { tls, direct: security === "direct" },
      { place: { ...trusting(), security } },
    );
    await became("online");
    expect(stream.address).toBe("alice@localhost/test");
    const session = await server.session(0);
    expect(session.received).toContain('mechanism="SCRAM-SHA-256"');
    expect(session.plain).not.toMatch(/auth|alice/);
  });

  it("shows nothing to a server that offers no encryption", async () => {
    const { server, became } = await open({});
    expect(await became("waiting")).toMatch(/offers no encryption; the password was not shown/);
    expect((await server.session(0)).received).not.toMatch(/<auth|alice/);
  });

  it("shows nothing to a server whose certificate nobody vouches for", async () => {
    const { server, became } = await open({ tls });
    expect(await became("waiting")).toMatch(
      /has not proved that it is localhost .*self-signed.*password was not shown/,
    );
    expect((await server.session(0)).received).not.toMatch(/<auth|alice/);
  });

  it("shows nothing to a server whose certificate is of another domain", async () => {
    const { server, became } = await open({ tls }, { domain: "example.org", place: trusting() });
    expect(await became("waiting")).toMatch(/has not proved that it is example\.org .*altnames/);
    expect((await server.session(0)).received).not.toMatch(/<auth|alice/);
  });

  it("takes nothing that was slipped in before the encryption", async () => {
    const injected = `<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>`;
    const { server, became } = await open({ tls, injected }, { place: trusting() });
    expect(await became("waiting")).toMatch(/said more before the connection was encrypted/);
    expect((await server.session(0)).received).not.toMatch(/<auth|alice/);
  });

  it("connects to no private address that a domain points to", async () => {
    const { server, became } = await open({ tls }, { place: { ...trusting(), isNamed: false } });
    expect(await became("waiting")).toMatch(/no public address/);
    expect(server.sessions).toHaveLength(0);
    const named = await open({ tls }, { place: { ...trusting(), host: "localhost", isNamed: false } });
    expect(await named.became("waiting")).toMatch(/no public address/);
    expect(named.server.sessions).toHaveLength(0);
  });
});

describe("signing in", () => {
  it.each(["SCRAM-SHA-1", "SCRAM-SHA-256", "PLAIN"])("works with %s", async (mechanism) => {
    const { stream, became } = await open({ tls, mechanisms: [mechanism] }, { place: trusting() });
    await became("online");
    expect(stream.bound?.mechanism).toBe(mechanism);
  });

  it.each(["SCRAM-SHA-1", "SCRAM-SHA-256", "PLAIN"])(
    "stops at a wrong password with %s, and says so",
    async (mechanism) => {
      const { server, became } = await open(
        { tls, mechanisms: [mechanism] },
        { place: trusting(), password: "not it" },
      );
      expect(await became("failed")).toMatch(/does not take this password for alice@localhost/);
      expect(server.sessions).toHaveLength(1);
    },
  );

  it("stops also when the server closes right behind its refusal", async () => {
    const { became } = await open({ failure: "account-disabled" }, { place: unencrypted });
    expect(await became("failed")).toMatch(/disabled the account alice@localhost/);
  });

  it("goes on after a failure of the moment", async () => {
    const { server, became } = await open({ failure: "temporary-auth-failure" }, { place: unencrypted });
    await became("waiting");
    server.options = {};
    await became("online");
  });

  it("does not believe a server that does not know the password", async () => {
    const { became } = await open({ impostor: true }, { place: unencrypted });
    expect(await became("failed")).toMatch(/could not prove that it knows the password/);
  });

  it("does not let a server make the password cheap to guess", async () => {
    const { became } = await open({ iterations: 1 }, { place: unencrypted });
    expect(await became("failed")).toMatch(/1 iterations, which is unreasonable/);
  });

  it("does not show the password where the server had no need of it before", async () => {
    const { server, became } = await open({ tls, mechanisms: ["PLAIN"] }, { place: trusting(), neverShow: true });
    expect(await became("failed")).toMatch(/no way to sign in that is safe here: PLAIN/);
    expect((await server.session(0)).received).not.toContain("<auth");
  });

  it("takes no address of somebody else's", async () => {
    const { became } = await open({ bound: "mallory@localhost/x" }, { place: unencrypted });
    expect(await became("waiting")).toMatch(/gave the address mallory@localhost\/x instead of alice@localhost/);
  });

  it("stops when another one takes its place", async () => {
    const { server, became } = await open({}, { place: unencrypted });
    await became("online");
    const session = await server.session(0);
    session.write(
      "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>",
    );
    expect(await became("failed")).toMatch(/Something else has signed in as alice@localhost\/test/);
    expect(server.sessions).toHaveLength(1);
  });
});

describe("the session", () => {
  const said = (id: string) =>
    `<message from='bob@localhost/x' to='alice@localhost/test' id='${id}'><body>${id}</body></message>`;

  it("goes on after a cut, and what was not dealt with comes again", async () => {
    let release: (() => void) | undefined;
    const { server, stream, stanzas, became, holds } = await open(
      {},
      {
        place: unencrypted,
        onStanza: ({ attrs: { id } }) =>
          id === "m2" && release === undefined ? new Promise((resolve) => (release = resolve)) : undefined,
      },
    );
    await became("online");
    const first = await server.session(0);
    first.send(said("m1"), said("m2"), said("m3"));
    await holds("three messages", () => stanzas.length === 3);
    // It is asked how much was dealt with: m3 is behind what is not.
    first.write("<r xmlns='urn:xmpp:sm:3'/>");
    expect(await first.receives("the count", /<a [^>]*>/)).toContain('h="1"');
    first.cut();
    await became("online", 2);
    const second = await server.session(1);
    expect(second.received).toMatch(/<resume [^>]*h="1"/);
    expect(second.received).not.toContain("xmpp-bind");
    expect(stream.bound?.isResumed).toBe(true);
    await holds("the two again", () => stanzas.length === 5);
    expect(stanzas.map(({ attrs }) => attrs["id"])).toEqual(["m1", "m2", "m3", "m2", "m3"]);
    // What is done late of the connection before is not counted twice.
    release?.();
    second.write("<r xmlns='urn:xmpp:sm:3'/>");
    expect(await second.receives("the count", /<a [^>]*>/)).toContain('h="3"');
  });

  it("tells the server of what is done after it was asked", async () => {
    let release: (() => void) | undefined;
    const { server, became, holds, stanzas } = await open(
      {},
      { place: unencrypted, onStanza: () => new Promise((resolve) => (release = resolve)) },
    );
    await became("online");
    const session = await server.session(0);
    session.send(said("m1"));
    await holds("the message", () => stanzas.length === 1);
    session.write("<r xmlns='urn:xmpp:sm:3'/>");
    expect(await session.receives("the first count", /<a [^>]*>/)).toContain('h="0"');
    release?.();
    await session.receives("the second count", /<a [^>]*h="1"/);
  });

  it("begins anew where the server does not know it any more", async () => {
    const { server, stream, became } = await open({}, { place: unencrypted });
    await became("online");
    server.kept.clear();
    (await server.session(0)).cut();
    await became("online", 2);
    expect(stream.bound?.isResumed).toBe(false);
    const second = await server.session(1);
    expect(second.received).toContain("xmpp-bind");
  });

  it("sends nothing while it is not there, and nothing behind the next connection", async () => {
    const { server, stream, became } = await open({}, { place: unencrypted });
    await became("online");
    server.options = { failure: "temporary-auth-failure" };
    (await server.session(0)).cut();
    await became("waiting", 2);
    const failure = await stream.send(xml("message", { to: "bob@localhost" }, xml("body", {}, "too early")));
    expect(failure).toMatchObject({ failed: "retry" });
    server.options = {};
    await became("online", 2);
    expect(await stream.send(xml("message", { to: "bob@localhost", from: "alice@localhost/old" }))).toBeUndefined();
    const last = server.sessions.at(-1);
    const sent = await last?.receives("the message", /<message [^>]*>/);
    expect(sent).not.toContain("from=");
    expect(server.sessions.map(({ received }) => received).join("")).not.toContain("too early");
  });

  it("takes answers only from whom it has asked", async () => {
    const { server, stream, became } = await open({}, { place: unencrypted });
    await became("online");
    const query = xml("iq", { type: "get", from: stream.address, to: "localhost" }, xml("query", { xmlns: "a:b" }));
    const answer = stream.request(query);
    const session = await server.session(0);
    const id = /id="([^"]*)"/.exec(await session.receives("the query", /<iq [^>]*to="localhost"[^>]*>/))?.[1] ?? "";
    session.send(`<iq type='result' from='mallory@localhost/x' id='${id}'><forged/></iq>`);
    session.send(`<iq type='result' from='localhost' id='${id}'><right/></iq>`);
    const got = await answer;
    expect(got.kind === "result" && got.stanza.getChild("right") !== undefined).toBe(true);
  });
});
