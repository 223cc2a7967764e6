import { readFileSync } from "node:fs";
import { describe, expect, it } from "@jest/globals";
import { ChannelId, UserId, type NetworkHandlers } from "@trestle/core";
import { configSchema, xmppConnector, type XmppLimits } from "@trestle/xmpp";
import fc from "fast-check";
import { z } from "zod";
import { freePort } from "../../../test/support/bounded.js";
import { bareJidOf, localOfUser, nickFrom, parseJid, roomOfLocal, userOfLocal } from "../dist/address/index.js";
import { parseXml, type XmlElement } from "../dist/content/index.js";
import { remoteUserOf, type RoomFeatures } from "../dist/rooms/muc.js";
import { serialise, xml } from "../dist/stream/index.js";
import { effectOf, FakeCore } from "./support/fake-core.js";
import { linkOf } from "./support/running-bridge.js";

/** What was measured or read of other bridges and of libraries that concerns addresses, people and the connection. */
describe("a defect that others have", () => {
  it("bifrost: a user name with a slash or an at sign, for which a server ends the component's stream", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("a", "/", "@", " ", "'", "<", ":", "\\", "😀") }), (name) => {
        const user = UserId(`@${name.replaceAll(":", "")}:example.org`);
        const jid = parseJid(`${localOfUser(user)}@bridge.test/matrix`);
        expect(jid).toMatchObject({ domain: "bridge.test", resource: "matrix" });
        expect(userOfLocal(jid?.local ?? "")).toBe(user);
      }),
      { seed: 5 },
    );
  });

  it("bifrost #268: escapes of a variable length, which are read as something else", () => {
    for (const name of [
      "Пётр",
      "jonas’",
      "jonas 19",
      "😀",
      "AfE1D2D0",
      "a=2f",
      "a/b",
      "\\2f",
      "^41",
      "\u0001f",
      "\n1",
    ]) {
      const user = UserId(`@${name}:example.org`);
      expect(userOfLocal(localOfUser(user))).toBe(user);
    }
  });

  it("bifrost: the address of the component, or of a user, that a loose pattern takes for another", () => {
    for (const local of ["alice", "#chat#example.org", "!room", "_", "alice_", "a_b@c"])
      expect(userOfLocal(local)).toBeUndefined();
    for (const local of ["alice_example.org", "#chat", "chat#example.org", "##", "!"])
      expect(roomOfLocal(local)).toBeUndefined();
  });

  it("@xmpp/jid: nothing folded, so that one person is several; or `a/b@c` and `a@b@c` read as somebody else", () => {
    expect(bareJidOf("Alice@Example.ORG/Desk")).toBe("alice@example.org");
    expect(bareJidOf("ΠΑΎΛΟΣ@example.org")).toBe(bareJidOf("παύλος@example.org"));
    expect(parseJid("a@b@c")).toBeUndefined();
    expect(parseJid("a/b@c")).toEqual({ domain: "a", resource: "b@c" });
  });

  it("bifrost #311, maranda #4: a nick with an emoji, which ejabberd drops without a word", () => {
    for (const shown of ["Alice 🦊", "🦊Alice", "Al🏳️‍🌈ice"]) expect(nickFrom(shown)).toBe("Alice");
  });

  it("bifrost: an occupant known by the nick alone, so that whoever takes a nick is taken for who had it", () => {
    const features: RoomFeatures = {
      ...{ archive: false, occupantIds: true, nonAnonymous: false, membersOnly: false, moderated: false },
      moderation: undefined,
      card: true,
    };
    const who = (nick: string, shown: string, more: Partial<RoomFeatures> = {}) =>
      remoteUserOf("room@muc.test", nick, presence(nick, shown), { ...features, ...more });
    const id = (text: string) => `<occupant-id xmlns="urn:xmpp:occupant-id:0" id="${text}"/>`;
    expect(who("Caro", id("one"))).toBe(who("Carol", id("one")));
    expect(who("Carol", id("two"))).not.toBe(who("Carol", id("one")));
    const item = (jid: string) => `<x xmlns="http://jabber.org/protocol/muc#user"><item jid="${jid}"/></x>`;
    const open = { occupantIds: false, nonAnonymous: true };
    expect(who("Caro", item("carol@home.test/a"), open)).toBe(who("Carol", item("Carol@home.test/b"), open));
    expect(who("Carol", item("eve@home.test/a"), open)).not.toBe(who("Carol", item("carol@home.test/a"), open));
    // What an occupant claims where the room gives no ids counts for nothing.
    expect(who("Carol", id("one"), { occupantIds: false })).toBe(who("Carol", id("two"), { occupantIds: false }));
  });

  it("bifrost: an XMPP server that is down at the start, with which the process ends", async () => {
    const core = new FakeCore();
    const room = ChannelId("room@muc.test");
    core.links = [linkOf(room)];
    const config = configSchema.parse({ port: await freePort(), domain: "bridge.test", secret: "s" });
    const { signal } = new AbortController();
    const tuning = { stream: { backoffMinMs: 1, backoffMaxMs: 5 } };
    const handlers = (await xmppConnector.connect({
      ...{ config, network: core.network, signal },
      ...{ tuning },
    })) as NetworkHandlers<XmppLimits>;
    try {
      for (const link of core.links) await handlers.linked?.(link);
      await core.until("that it waits for the server", () => core.statuses.get("bridge.test")?.state === "waiting");
      // What is said meanwhile is kept by the core, which comes with it again.
      expect(await handlers.message(effectOf({ channel: room, text: "hello" }))).toMatchObject({ failed: "retry" });
    } finally {
      await handlers.close?.();
    }
  });

  it("ltx: so deep an element that writing it ends in an overflow of the stack", () => {
    let deep = xml("a");
    for (let depth = 0; depth < 20_000; depth++) deep = xml("a", {}, deep);
    expect(serialise(deep, { maxStanzaBytes: 1024 * 1024 })).toMatchObject({ failed: "permanent" });
  });

  it("@xmpp/component: a stanza of 600 kB, for which Prosody ends the component's stream", () => {
    const stanza = xml("message", { to: "a@b.test" }, xml("body", {}, "x".repeat(600_000)));
    expect(serialise(stanza, { maxStanzaBytes: 256 * 1024 })).toMatchObject({ failed: "permanent" });
  });

  it("node-xmpp-core, @xmpp/client 0.13: dependencies from outside of the registry, or by the hundred with install scripts", () => {
    const lock = lockSchema.parse(
      JSON.parse(readFileSync(new URL("../../../package-lock.json", import.meta.url), "utf8")),
    );
    const packages = new Map(Object.entries(lock.packages));
    const own = packages.get("bridges/xmpp")?.dependencies ?? {};
    const names = Object.keys(own).filter((name) => name.includes("xmpp") && !name.startsWith("@trestle/"));
    expect(names.length).toBeGreaterThan(0);
    const reached = reachedFrom(packages, names);
    expect(reached.length).toBeLessThan(100);
    for (const place of reached) {
      const found = packages.get(place);
      expect({ place, hasInstallScript: found?.hasInstallScript ?? false }).toEqual({ place, hasInstallScript: false });
      for (const wanted of Object.values(found?.dependencies ?? {})) expect(wanted).not.toMatch(/:\/\/|^git|^file:|\//);
    }
  });
});

const lockSchema = z.object({
  packages: z.record(
    z.string(),
    z.object({
      dependencies: z.record(z.string(), z.string()).optional(),
      hasInstallScript: z.boolean().optional(),
    }),
  ),
});
type Packages = ReadonlyMap<string, z.output<typeof lockSchema>["packages"][string]>;

/** Where in the lock file the packages are that these need, as Node finds them. */
function reachedFrom(packages: Packages, names: readonly string[]): readonly string[] {
  const reached = new Set<string>();
  const visit = (name: string, from: string): void => {
    const place = placeOf(packages, name, from);
    if (place === undefined || reached.has(place)) return;
    reached.add(place);
    for (const needed of Object.keys(packages.get(place)?.dependencies ?? {})) visit(needed, place);
  };
  for (const name of names) visit(name, "bridges/xmpp");
  return [...reached];
}

function placeOf(packages: Packages, name: string, from: string): string | undefined {
  for (let at = from; ; at = at.replace(/(^|\/)node_modules\/(@[^/]+\/)?[^/]+$|^(?!.*node_modules).*$/, "")) {
    const place = at === "" ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (packages.has(place)) return place;
    if (at === "") return undefined;
  }
}

function presence(nick: string, content: string): XmlElement {
  const found = parseXml(`<presence from="room@muc.test/${nick}">${content}</presence>`);
  if (!found) throw new Error(`No presence: ${content}`);
  return found;
}
