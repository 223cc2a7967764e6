import { afterAll, afterEach, beforeAll, expect, it } from "@jest/globals";
import type { ChannelId, Outcome } from "@trestle/core";
import type { SlixmppInstall } from "../../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import { XmppPerson } from "../../../../test/support/xmpp-person.js";
import { onEachServer } from "../support/each-server.js";
import { BOB, SaidStage, USERS } from "../support/said-stage.js";
import { settle } from "../../../../test/support/settle.js";

await onEachServer("what the bridge itself may do in rooms of $server", USERS, behaviour);

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

  /** Of those under whose names the room has shown the bridge to its owner, the last one. */
  const shownAs = (room: string): string | undefined => {
    const shown = stage.alice.seen.findLast(
      ({ name, from, type, xml }) => name === "presence" && from === `${room}/Matrix` && !type && xml.includes("jid="),
    );
    return /jid="([^"]+)"/.exec(shown?.xml ?? "")?.[1];
  };
  const isShownAs = (room: string, jid: string) =>
    stage.alice.sees(
      `the bridge as ${jid}`,
      ({ name, from, xml }) => name === "presence" && from === `${room}/Matrix` && xml.includes(`jid="${jid}"`),
    );
  const rename = (room: ChannelId, name: string): Promise<Outcome> =>
    settle(() => stage.handlers.name?.({ ...stage.effect(room), name }));
  const nameOf = (room: string) =>
    stage.alice.query(room, "get", `<query xmlns="http://jabber.org/protocol/disco#info"/>`);

  it("is what its domain may, and from when it may more by itself that", async () => {
    const { room, core } = await stage.bridged({}, (made) => stage.affiliate(made, stage.server.component, "admin"));
    await carol.join(room, "carol");
    await carol.raw(`<message to="${room}" type="groupchat" id="who"><body>who am I?</body></message>`);
    await core.until("carol", () => core.texts(room).includes("who am I?"));
    const remote = core.messages(room).at(-1)!.sender.id;
    const kick = { ...stage.effect(room), who: { remote }, change: "kick", reason: "enough" } as const;
    expect(await settle(() => stage.handlers.membership?.(kick))).toBeUndefined();
    await carol.sees("the kick", ({ from, xml }) => from === `${room}/carol` && xml.includes(`code="307"`));
    // That the domain is an admin makes no admins of Matrix users.
    await stage.say(room, "hi");
    await stage.said(core, room, "behind", "b1");
    const ranks = core.ofKind("roles", room).flatMap(({ changes }) => changes);
    const bobs = ranks.flatMap(({ who, role }) => ("userId" in who && who.userId === BOB ? [role] : []));
    expect(bobs.filter((role) => ["owner", "admin", "moderator"].includes(role))).toEqual([]);

    expect(await rename(room, "Not yet")).toBeUndefined();
    expect(await nameOf(room)).not.toContain("Not yet");
    await stage.affiliate(room, stage.bridge, "owner");
    expect(await rename(room, "Tea and cake")).toBeUndefined();
    expect(await nameOf(room)).toContain("Tea and cake");
    expect(shownAs(room)).toBe(`${stage.bridge}/bridge`);
    await stage.say(room, "still here");
  });

  it("is found under its domain where the room knew it so, until it may more under its own address", async () => {
    const { component } = stage.server;
    const { room, core } = await stage.bridged({}, (made) => stage.affiliate(made, component, "member"));
    expect(shownAs(room)).toBe(`${stage.bridge}/bridge`);
    await stage.said(core, room, "before", "b1");
    await stage.stopBridge();
    // As it was kept before the bridge had an address of its own.
    core.stored.delete(`bridge ${room}`);
    await stage.again(core, room);
    await isShownAs(room, `${component}/bridge`);
    await stage.said(core, room, "there", "b2");
    await stage.again(core, room);
    await stage.said(core, room, "and there again", "b3");
    expect(shownAs(room)).toBe(`${component}/bridge`);
    await stage.affiliate(room, stage.bridge, "owner");
    expect(await rename(room, "Found")).toBeUndefined();
    expect(await nameOf(room)).toContain("Found");
    expect(shownAs(room)).toBe(`${stage.bridge}/bridge`);
    await stage.said(core, room, "after", "b4");
    expect(core.texts(room)).toEqual(["before", "there", "and there again", "after"]);
    await stage.again(core, room);
    await stage.say(room, "for good");
    expect(shownAs(room)).toBe(`${stage.bridge}/bridge`);
  });

  it("stays where it is where members see who has rights, and it is a member under each of its addresses", async () => {
    const { component } = stage.server;
    const { room, core } = await stage.bridged({}, async (made) => {
      await stage.configure(made, { "muc#roomconfig_membersonly": "1", "muc#roomconfig_whois": "anyone" });
      await stage.affiliate(made, component, "member");
      await stage.affiliate(made, stage.bridge, "member");
    });
    const texts = ["one", "two", "three", "four", "five"];
    for (const text of texts) await stage.said(core, room, text, text);
    expect(core.texts(room)).toEqual(texts);
    const times = (wanted: "come" | "gone") =>
      stage.alice.seen.filter(
        ({ name, from, type }) =>
          name === "presence" && from === `${room}/Matrix` && (type === "unavailable") === (wanted === "gone"),
      ).length;
    expect([times("come"), times("gone")]).toEqual([1, 0]);
    expect(await rename(room, "Not theirs")).toBeUndefined();
    expect(await nameOf(room)).not.toContain("Not theirs");
    expect([times("come"), times("gone")]).toEqual([1, 0]);
  });

  it("is its domain where that is an owner, and its own address an admin alone", async () => {
    // ejabberd makes no domain an owner.
    if (stage.server.name !== "Prosody") return;
    const { component } = stage.server;
    const { room, core } = await stage.bridged({}, (made) => stage.affiliate(made, stage.bridge, "admin"));
    await stage.said(core, room, "before", "b1");
    expect(shownAs(room)).toBe(`${stage.bridge}/bridge`);
    await stage.affiliate(room, component, "owner");
    expect(await rename(room, "The owner's")).toBeUndefined();
    expect(await nameOf(room)).toContain("The owner");
    expect(shownAs(room)).toBe(`${component}/bridge`);
    await stage.said(core, room, "after", "b2");
    expect(core.texts(room)).toEqual(["before", "after"]);
  });
}
