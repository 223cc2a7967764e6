import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { isFailure, LoginId, RemoteMessageId, RemoteUserId, UserId, type ChannelId, type Outcome } from "@trestle/core";
import fc from "fast-check";
import { startEjabberd } from "../../../../test/support/servers/ejabberd.js";
import { realServers } from "../../../../test/support/servers/index.js";
import { startProsody } from "../../../../test/support/servers/prosody.js";
import type { SlixmppInstall } from "../../../../test/support/servers/slixmpp.js";
import type { XmppServer, XmppServerOptions } from "../../../../test/support/servers/xmpp-server.js";
import { XmppPerson } from "../../../../test/support/xmpp-person.js";
import { localOfUser } from "../../dist/address/index.js";
import { channelOf, conversationOf } from "../../dist/people/conversation.js";
import { anyBody, anyText, anyUser, withoutEnds } from "../support/anything.js";
import { deliver, effectOf } from "../support/fake-core.js";
import { RunningBridge } from "../support/running-bridge.js";
import { stanzasOnWire, type WireStanza } from "../support/stanzas-on-wire.js";
import { WireSpy } from "../support/wire-spy.js";

const SEED = 13;
const MESSAGES = 30;
const OTHERS = 8;
const ivy = UserId("@ivy:example.org");
const person = "alice@localhost";

const prosody = await realServers("prosody", "slixmpp");
const ejabberd = await realServers("ejabberd", "slixmpp");

prosody.describe("anything from Matrix to one person, with Prosody", (installs) =>
  behaviour(installs.slixmpp, (options) => startProsody(installs.prosody, options)),
);
ejabberd.describe("anything from Matrix to one person, with ejabberd", (installs) =>
  behaviour(installs.slixmpp, (options) => startEjabberd(installs.ejabberd, options)),
);

function behaviour(install: SlixmppInstall, start: (options: XmppServerOptions) => Promise<XmppServer>): void {
  let server: XmppServer;
  let component: WireSpy;
  let client: WireSpy;
  let alice: XmppPerson;
  let bridge: RunningBridge;

  beforeAll(async () => {
    server = await start({ users: ["alice", "ivy"] });
    component = await WireSpy.before(server.componentPort);
    client = await WireSpy.before(server.clientPort);
    alice = await XmppPerson.connect(install, server, "alice");
    const place = { host: server.host, port: client.port, security: "none" } as const;
    const accounts = { enabled: true, servers: { [server.domain]: place } };
    bridge = await RunningBridge.start({ server, port: component.port, rooms: [], config: { accounts } });
    const jid = `ivy@${server.domain}`;
    const account = { name: jid, remoteUser: RemoteUserId(jid), secret: { jid, password: "ivy", neverShow: "yes" } };
    await bridge.handlers.signedIn?.({ id: LoginId("login"), user: ivy, account });
    for (const connection of [jid, server.component])
      await bridge.core.until(connection, () => bridge.core.statuses.get(connection)?.state === "connected");
  }, 120_000);
  afterAll(async () => {
    await bridge.close();
    await alice.end();
    await component.stop();
    await client.stop();
    await server.process.stop();
  }, 60_000);

  /** `undefined` of whom there can be no conversation: no user id has a space in it. */
  const channelWith = (user: UserId): ChannelId | undefined => {
    const channel = channelOf({ user, person: RemoteUserId(person) });
    return conversationOf(channel ?? "") && channel;
  };
  const effect = (channel: ChannelId, user: UserId, name: string, id: string) =>
    effectOf({ channel, text: "", user, name, id });

  /** All that went over a line since `before`: nothing but what is meant, for alice alone, and for the server itself. */
  function meant(spy: WireSpy, before: number): readonly WireStanza[] {
    const everything = stanzasOnWire(spy.sent.slice(before));
    for (const { name, attrs, inner } of everything) {
      // XEP-0198 counts between the stanzas.
      if (spy === client && ["r", "a"].includes(name)) continue;
      expect(["message", "presence", "iq"]).toContain(name);
      const to = attrs["to"]?.split("/")[0] ?? "";
      expect([person, `ivy@${server.domain}`, server.domain, server.component, ""]).toContain(to);
      expect(inner.filter((inside) => /^(message|presence|iq|stream)$|:/.test(inside))).toEqual([]);
    }
    expect({ connections: spy.connections, errors: spy.streamErrors }).toEqual({ connections: 1, errors: [] });
    expect(alice.seen.filter(({ body }) => body === "owned")).toEqual([]);
    return everything.filter(({ name }) => name === "message");
  }

  async function arrives(sent: readonly WireStanza[]): Promise<void> {
    for (const { attrs, body } of sent) {
      const seen = await alice.sees(`the message ${attrs["id"] ?? ""}`, ({ id }) => id === attrs["id"]);
      expect(withoutEnds(seen.body ?? "")).toBe(withoutEnds(body ?? ""));
    }
  }

  const went = (outcome: Outcome | undefined, about: string): void =>
    expect({ about, failed: isFailure(outcome) && outcome }).toEqual({ about, failed: false });

  it("goes out through the component as what it is, from whoever said it", async () => {
    const before = component.sent.length;
    const sample = fc
      .sample(fc.tuple(anyUser, anyText, anyBody), { seed: SEED, numRuns: 2 * MESSAGES })
      .flatMap(([user, name, body]) => {
        const channel = channelWith(user);
        return channel === undefined ? [] : [{ user, name, body, channel }];
      })
      .slice(0, MESSAGES);
    expect(sample.length).toBe(MESSAGES);
    const senders: string[] = [];
    for (const [index, { user, name, body, channel }] of sample.entries()) {
      const said = effect(channel, user, name, `component${index}`);
      went(await deliver(bridge.handlers, { ...said, content: { type: "text", body, style: "text" } }), name);
      senders.push(`${localOfUser(user)}@${server.component}`);
    }
    const sent = meant(component, before).filter(({ body }) => body !== undefined);
    expect(sent.map(({ attrs }) => attrs["from"]?.split("/")[0])).toEqual(senders);
    await arrives(sent);
  }, 60_000);

  describe("through an account", () => {
    it("goes out as what it is, and the account stays connected", async () => {
      const [before, beside] = [client.sent.length, component.sent.length];
      const channel = channelWith(ivy);
      if (channel === undefined) throw new Error("There is no such conversation");
      const sample = fc.sample(fc.tuple(anyText, anyBody, fc.boolean()), { seed: SEED, numRuns: MESSAGES });
      for (const [index, [name, body, emote]] of sample.entries()) {
        const content = { type: "text", body, style: emote ? "emote" : "text" } as const;
        went(await deliver(bridge.handlers, { ...effect(channel, ivy, name, `account${index}`), content }), name);
      }
      const sent = meant(client, before);
      expect(sent).toHaveLength(MESSAGES);
      // The server says who sends it, whatever stands there.
      for (const { attrs } of sent) expect(attrs).toMatchObject({ to: person, type: "chat" });
      expect(sent.filter(({ attrs }) => "from" in attrs)).toEqual([]);
      expect(meant(component, beside)).toEqual([]);
      await arrives(sent);
      const from = new Set(
        alice.seen.flatMap((seen) =>
          sent.some(({ attrs }) => attrs["id"] === seen.id) ? [seen.from?.split("/")[0]] : [],
        ),
      );
      expect([...from]).toEqual([`ivy@${server.domain}`]);
    }, 60_000);

    it("is answered, corrected, reacted to and taken back, whatever that holds", async () => {
      const before = client.sent.length;
      const channel = channelWith(ivy);
      if (channel === undefined) throw new Error("There is no such conversation");
      const sample = fc.sample(fc.tuple(anyText, anyBody), { seed: SEED, numRuns: OTHERS });
      for (const [index, [text, body]] of sample.entries()) {
        const content = { type: "text", body, style: "text" } as const;
        const of = (kind: string) => effect(channel, ivy, text, `${kind}${index}`);
        const theirs = RemoteMessageId(`theirs-${index} ${text}`);
        const replyTo = { event: of("x").event, id: theirs, authorName: text, excerpt: text };
        const said = await bridge.handlers.message({ ...of("answer"), content, replyTo });
        went(said, text);
        const target = said !== undefined && "id" in said ? said.id : theirs;
        went(await bridge.handlers.edit?.({ ...of("edit"), target: [target], content }), text);
        went(await bridge.handlers.react?.({ ...of("react"), target: theirs, key: text }), text);
        went(await bridge.handlers.redact?.({ ...of("redact"), target: [target], reason: text }), text);
      }
      expect(meant(client, before).length).toBeGreaterThanOrEqual(4 * OTHERS);
    }, 60_000);
  });
}
