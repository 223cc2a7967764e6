import { afterAll, afterEach, beforeAll, expect, it } from "@jest/globals";
import {
  textContent,
  UserId,
  type ChannelId,
  type ChannelSettings,
  type MembershipEffect,
  type Outcome,
  type RemoteUserId,
  type Role,
  type RoleEffect,
} from "@trestle/core";
import type { SlixmppInstall } from "../../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import { XmppPerson } from "../../../../test/support/xmpp-person.js";
import { onEachServer } from "../support/each-server.js";
import type { FakeCore } from "../support/fake-core.js";
import { BOB, SaidStage, USERS } from "../support/said-stage.js";

await onEachServer("moderation in rooms of $server", USERS, behaviour);

const ADMIN = "http://jabber.org/protocol/muc#admin";

function behaviour(install: SlixmppInstall, start: () => Promise<XmppServer>): void {
  let stage: SaidStage;
  let carol: XmppPerson;

  beforeAll(async () => {
    stage = await SaidStage.build(install, start);
    carol = await XmppPerson.connect(install, stage.server, "bob");
  }, 60_000);
  afterEach(() => stage.stopBridge());
  afterAll(async () => {
    await carol.end();
    await stage.close();
  }, 60_000);

  /** A room of alice's of which the bridge is an admin, with carol in it. */
  const moderated = async (prepare: (room: ChannelId) => Promise<void> = async () => undefined) => {
    const bridged = await stage.bridged({}, async (room) => {
      await stage.configure(room, {
        "muc#roomconfig_moderatedroom": "0",
        "muc#roomconfig_publicroom": "1",
        "muc#roomconfig_changesubject": "1",
      });
      await stage.affiliate(room, stage.bridge, "admin");
      await prepare(room);
    });
    await carol.join(bridged.room, "carol");
    await bridged.core.until("the owner's rank", () => ranksOf(bridged.core, bridged.room).get("alice") === "owner");
    return bridged;
  };
  const admin = (room: string, item: string) =>
    stage.alice.query(room, "set", `<query xmlns="${ADMIN}">${item}</query>`);
  const seesPresence = (what: string, from: string, wanted: (xml: string) => boolean) =>
    stage.alice.sees(what, ({ name, from: who, xml }) => name === "presence" && who === from && wanted(xml));
  const role = (room: ChannelId, who: RoleEffect["who"], wanted: Role): Promise<Outcome> =>
    settle(() => stage.handlers.role?.({ ...stage.effect(room), who, role: wanted, before: "none" }));
  const expel = (room: ChannelId, remote: RemoteUserId, change: MembershipEffect["change"]): Promise<Outcome> =>
    settle(() => stage.handlers.membership?.({ ...stage.effect(room), who: { remote }, change, reason: "enough" }));
  const bob = { userId: UserId(BOB), name: "bob" };

  it("tells who is what, and what becomes of it", async () => {
    const { room, core } = await moderated();
    expect(ranksOf(core, room).get("carol")).toBeUndefined();
    await admin(room, `<item nick="carol" role="moderator"/>`);
    await core.until("carol a moderator", () => ranksOf(core, room).get("carol") === "moderator");
    await admin(room, `<item nick="carol" role="participant"/>`);
    await core.until("carol nothing in particular", () => ranksOf(core, room).get("carol") === "none");
    await stage.affiliate(room, "bob@localhost", "admin");
    await core.until("carol an admin", () => ranksOf(core, room).get("carol") === "admin");
    await stage.say(room, "hi");
    await admin(room, `<item nick="bob" role="moderator"/>`);
    await core.until("Bob on Matrix a moderator", () => ranksOf(core, room).get(BOB) === "moderator");
    // All of it again after a restart, and nothing that was not so.
    const told = core.ofKind("roles", room).length;
    await stage.again(core, room);
    await core.until("everybody's rank", () => core.ofKind("roles", room).length > told);
    const last = core.ofKind("roles", room).find(({ complete }, index) => complete === true && index >= told);
    expect(last?.changes.map(({ role: each }) => each).sort()).toEqual(["admin", "owner"]);
  });

  it("gives people the rank of their power level", async () => {
    const { room, core } = await moderated();
    await stage.say(room, "hi");
    const carols = { remote: await idOfCarol(core, room) };
    expect(await role(room, carols, "moderator")).toBeUndefined();
    await seesPresence("carol a moderator", `${room}/carol`, (xml) => xml.includes(`role="moderator"`));
    expect(await role(room, carols, "none")).toBeUndefined();
    expect(await role(room, bob, "moderator")).toBeUndefined();
    await seesPresence("bob a moderator", `${room}/bob`, (xml) => xml.includes(`role="moderator"`));
    // That was done on Matrix: it is no news there.
    await stage.said(core, room, "behind", "b1");
    expect(ranksOf(core, room).get("carol")).toBeUndefined();
    expect(ranksOf(core, room).get(BOB)).toBeUndefined();
    // A role ends with the presence: Bob gets it again.
    await stage.again(core, room);
    await stage.say(room, "again");
    await seesPresence(
      "bob a moderator again",
      `${room}/bob`,
      () =>
        stage.alice.seen.filter(({ from, xml }) => from === `${room}/bob` && xml.includes(`role="moderator"`)).length >
        1,
    );
    expect(await role(room, bob, "none")).toBeUndefined();
  });

  it("takes back what the room refuses", async () => {
    const { room, core } = await moderated();
    const remote = await idOfCarol(core, room);
    const outcome = await role(room, { remote }, "owner");
    expect(outcome).toMatchObject({ failed: "permanent", reason: expect.stringContaining("an owner of the room") });
    await core.until("how it is", () => core.ofKind("roles", room).some(isOverruling(remote, "none")));
  });

  it("sets the room as the Matrix room was, and puts nobody out; where it may not, says how the room is", async () => {
    const { room, core } = await moderated();
    await stage.say(room, "hi");
    const set = (settings: ChannelSettings): Promise<Outcome> =>
      settle(() => stage.handlers.settings?.({ ...stage.effect(room), settings }));
    await core.until("how it is set", () => settingsIn(core, room) !== undefined);
    expect(await set({ topicLocked: true })).toMatchObject({ failed: "permanent" });
    const isTold = () =>
      core.ofKind("channel", room).filter(({ settings }) => settings?.topicLocked === false).length > 1;
    await core.until("how it is", isTold);
    await stage.affiliate(room, stage.bridge, "owner");
    expect(await set({ moderated: true, topicLocked: true, inviteOnly: true })).toBeUndefined();
    await core.until("a closed room", () => settingsIn(core, room)?.inviteOnly === true);
    expect(settingsIn(core, room)).toMatchObject({ moderated: true, topicLocked: true });
    // Otherwise whoever comes has a voice there, moderated or not.
    if (stage.server.name === "ejabberd")
      expect(await stage.alice.query(room, "get", `<query xmlns="http://jabber.org/protocol/muc#owner"/>`)).toMatch(
        /members_by_default"[^>]*><[^>]*>0</,
      );
    const ofRoom = stage.alice.seen.filter(({ name, from }) => name === "presence" && from?.startsWith(room) === true);
    expect(ofRoom.filter(({ type }) => type === "unavailable")).toEqual([]);
    await stage.say(room, "still here");
  });

  it("does in the room what moderators on Matrix do to its people", async () => {
    const { room, core } = await moderated();
    const remote = await idOfCarol(core, room);
    expect(await expel(room, remote, "kick")).toBeUndefined();
    const kicked = await seesPresence("the kick", `${room}/carol`, (xml) => xml.includes(`code="307"`));
    expect(kicked.xml).toContain("enough");
    await carol.join(room, "carol");
    await stage.said(core, room, "she is back", "b2");
    const again = await idOfCarol(core, room);
    expect(await expel(room, again, "ban")).toBeUndefined();
    await seesPresence("the ban", `${room}/carol`, (xml) => xml.includes(`code="301"`));
    const outcasts = `<query xmlns="${ADMIN}"><item affiliation="outcast"/></query>`;
    expect(await stage.alice.query(room, "get", outcasts)).toContain("bob@localhost");
    expect(await expel(room, again, "unban")).toBeUndefined();
    expect(await stage.alice.query(room, "get", outcasts)).not.toContain("bob@localhost");
  });

  it("does it when it is back in the room, where nobody knew who is there in the moment it was asked to", async () => {
    const { room, core } = await moderated();
    const remote = await idOfCarol(core, room);
    const asked: readonly (() => Promise<Outcome>)[] = [
      () => role(room, { remote }, "moderator"),
      () => expel(room, remote, "kick"),
    ];
    for (const act of asked) {
      stage.spy.refuse();
      await core.until("the loss", () => core.statuses.get(stage.server.component)?.state === "waiting");
      const outcome = act();
      stage.spy.admit();
      expect(await outcome).toBeUndefined();
    }
    await seesPresence("carol a moderator", `${room}/carol`, (xml) => xml.includes(`role="moderator"`));
    await seesPresence("the kick", `${room}/carol`, (xml) => xml.includes(`code="307"`));
  });

  it("tells what moderators of the room do to Matrix users, and keeps those out", async () => {
    const { room, core } = await moderated();
    await stage.say(room, "hi");
    await admin(room, `<item nick="bob" role="none"><reason>too loud</reason></item>`);
    await core.until("the kick", () => core.ofKind("expulsion", room).length === 1);
    expect(core.ofKind("expulsion", room)[0]).toMatchObject({ userId: BOB, change: "kick", reason: "too loud" });
    const spoken = await stage.handlers.message({ ...stage.effect(room), ...hello });
    expect(spoken).toMatchObject({ failed: "permanent", reason: expect.stringContaining("kicked out") });
    await stage.again(core, room);
    await stage.said(core, room, "after a restart", "r1");
    expect(stage.alice.seen.findLast(({ from }) => from === `${room}/bob`)?.type).toBe("unavailable");
    await stage.handlers.membership?.({ ...stage.effect(room), who: bob, change: "join" });
    await stage.say(room, "I am back");
    await admin(room, `<item jid="${await jidOfBob(room)}" affiliation="outcast"/>`);
    await core.until("the ban", () => core.ofKind("expulsion", room).some(({ change }) => change === "ban"));
    expect(await stage.handlers.message({ ...stage.effect(room), ...hello })).toMatchObject({ failed: "permanent" });
    await admin(room, `<item jid="${await jidOfBob(room)}" affiliation="none"/>`);
    await stage.handlers.membership?.({ ...stage.effect(room), who: bob, change: "join" });
    await core.until("the end of the ban", () => core.ofKind("expulsion", room).at(-1)?.change === "unban");
  });

  it("asks for voice for who has none, once, and tells when they have it", async () => {
    const { room, core } = await moderated();
    await stage.say(room, "hi");
    await stage.configure(room, { "muc#roomconfig_moderatedroom": "1" });
    await core.until("a moderated room", () => settingsIn(core, room)?.moderated === true);
    await admin(room, `<item nick="bob" role="visitor"/>`);
    await seesPresence("bob without a voice", `${room}/bob`, (xml) => xml.includes(`role="visitor"`));
    for (const expected of ["were asked", "have not given it yet"]) {
      const outcome = await settle(() => stage.handlers.message({ ...stage.effect(room), ...hello }));
      expect(outcome).toMatchObject({ failed: "permanent", reason: expect.stringContaining(expected) });
    }
    const isRequest = ({ from, xml }: { readonly from: string | null; readonly xml: string }) =>
      from === room && xml.includes("http://jabber.org/protocol/muc#request");
    const request = await stage.alice.sees("the request", isRequest);
    expect(request.xml).toContain("bob");
    await admin(room, `<item nick="bob" role="participant"/>`);
    await core.until("his voice", () =>
      core.ofKind("channel", room).some(({ notice }) => notice?.includes("may speak")),
    );
    expect(stage.alice.seen.filter(isRequest)).toHaveLength(1);
    await stage.say(room, "thank you");
  });

  it("ends the link to a room that was destroyed, and does not make it anew", async () => {
    const { room, core } = await moderated();
    const destroy = `<destroy jid="elsewhere@${stage.server.rooms}"><reason>moving</reason></destroy>`;
    await stage.alice.query(room, "set", `<query xmlns="http://jabber.org/protocol/muc#owner">${destroy}</query>`);
    await core.until("its end", () => core.ofKind("channel", room).some(({ deleted }) => deleted === true));
    expect(core.ofKind("channel", room).at(-1)?.notice).toContain(`(moving). Its people go to elsewhere@`);
    const spoken = await stage.handlers.message({ ...stage.effect(room), ...hello });
    expect(spoken).toMatchObject({ failed: "retry", reason: expect.stringContaining("destroyed") });
  });

  it("carries how the room is set, as it changes", async () => {
    const { room, core } = await moderated();
    const open: ChannelSettings = {
      moderated: false,
      inviteOnly: false,
      keyed: false,
      secret: false,
      topicLocked: false,
    };
    await core.until("how it is set", () => settingsIn(core, room) !== undefined);
    expect(settingsIn(core, room)).toEqual(open);
    await stage.configure(room, { "muc#roomconfig_moderatedroom": "1", "muc#roomconfig_changesubject": "0" });
    await core.until("a moderated room", () => settingsIn(core, room)?.moderated === true);
    expect(settingsIn(core, room)).toEqual({ ...open, moderated: true, topicLocked: true });
    await stage.configure(room, { "muc#roomconfig_publicroom": "0", "muc#roomconfig_membersonly": "1" });
    await core.until("a hidden room for members", () => settingsIn(core, room)?.secret === true);
    expect(settingsIn(core, room)).toMatchObject({ secret: true, inviteOnly: true });
  });

  /** The id under which Matrix knows carol. */
  async function idOfCarol(core: FakeCore, room: ChannelId): Promise<RemoteUserId> {
    const body = `who am I in ${room} ${core.received.length}`;
    await carol.raw(
      `<message to="${room}" type="groupchat" id="w${core.received.length}"><body>${body}</body></message>`,
    );
    await core.until("carol's message", () => core.texts(room).includes(body));
    return core.messages(room).findLast(({ sender }) => sender.name === "carol")!.sender.id;
  }

  async function jidOfBob(room: string): Promise<string> {
    const shown = await seesPresence("bob's address", `${room}/bob`, (xml) => xml.includes("jid="));
    return /jid="([^/"]+)/.exec(shown.xml)?.[1] ?? "";
  }
}

const hello = { content: textContent("hello"), part: 0, parts: 1 };

/** What Matrix was told last of each, by the name or Matrix id. */
function ranksOf(core: FakeCore, room: string): ReadonlyMap<string, Role> {
  const names = new Map<string, string>();
  const ranks = new Map<string, Role>();
  for (const event of core.received) {
    if (event.kind === "message") names.set(event.sender.id, event.sender.name ?? "");
    if (event.kind === "membership") names.set(event.user.id, event.user.name ?? "");
  }
  for (const { changes, complete } of core.ofKind("roles", room)) {
    if (complete === true) ranks.clear();
    for (const { who, role } of changes)
      ranks.set("userId" in who ? who.userId : (names.get(who.remote.id) ?? who.remote.name ?? who.remote.id), role);
  }
  return ranks;
}

function settingsIn(core: FakeCore, room: string): ChannelSettings | undefined {
  return core.ofKind("channel", room).findLast(({ settings }) => settings !== undefined)?.settings;
}

function isOverruling(remote: RemoteUserId, wanted: Role) {
  return ({
    changes,
  }: {
    readonly changes: readonly { readonly who: object; readonly role: Role; readonly overrules?: boolean }[];
  }) =>
    changes.some(
      ({ who, role, overrules }) =>
        overrules === true &&
        role === wanted &&
        "remote" in who &&
        (who.remote as { readonly id: string }).id === remote,
    );
}

/** Tries again as the core does. */
async function settle(attempt: () => Promise<Outcome> | undefined): Promise<Outcome> {
  for (let attempts = 1; ; attempts++) {
    const outcome = await attempt();
    if (outcome === undefined || !("failed" in outcome) || outcome.failed === "permanent" || attempts === 200)
      return outcome;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
