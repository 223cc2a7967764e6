import { createHash } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { until } from "../../../../test/support/bounded.js";
import type { SlixmppInstall } from "../../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import type { XmppPerson } from "../../../../test/support/xmpp-person.js";
import { onEachServer } from "../support/each-server.js";
import { bot, type PeopleStage, stageWithBob, type StageWithBob } from "../support/people-stage.js";

const USERS = ["bob"];
/** The smallest picture there is, in PNG. */
const PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

await onEachServer("private messages in rooms of $server", USERS, behaviour);

function behaviour(install: SlixmppInstall, start: () => Promise<XmppServer>): void {
  let server: XmppServer;
  let begun: StageWithBob;
  let bob: XmppPerson;
  let stage: PeopleStage;
  let rooms = 0;

  beforeAll(async () => {
    begun = await stageWithBob(install, start);
    ({ server, stage, bob } = begun);
  }, 60_000);
  afterAll(() => begun.close(), 60_000);

  /** A room of bob's, linked to one of Alice's, who has said something in it. */
  async function linked() {
    const name = `pm${++rooms}`;
    const muc = `${name}@${server.rooms}`;
    await bob.join(muc, "bob");
    const alice = stage.homeserver.createClient(name);
    const room = await alice.createRoom({ invite: [bot] });
    await until(
      10_000,
      "the bot in the room",
      () => stage.homeserver.room(room).members()[bot] === "join" || undefined,
    );
    await stage.trestle.services.link("xmpp", room, muc, "operator");
    await alice.sendText(room, "hello");
    const seen = await bob.sees("alice", ({ body, from }) => body === "hello" && from?.startsWith(muc) === true);
    return { muc, room, alice, occupant: seen.from ?? "" };
  }
  const privateMessage = (to: string, body: string, id = `pm-${body.replace(/\W/g, "-")}`) =>
    bob.raw(
      `<message to="${to}" type="chat" id="${id}"><body>${body}</body><x xmlns="http://jabber.org/protocol/muc#user"/></message>`,
    );
  const privateRoom = (user: string, muc: string): Promise<string> =>
    until(15_000, "a direct room", async () => {
      const links = await stage.trestle.services.list();
      return links.find(({ channel }) => channel.startsWith(`${user} ${muc} `))?.room;
    });

  it("open a direct room with the person's ghost; answers go to whatever they are called in the room by then", async () => {
    const { muc, room, alice, occupant } = await linked();
    await bob.say(muc, "to all", { type: "groupchat" });
    const toAll = await stage.hears(room, "to all");
    await privateMessage(occupant, "to you alone");
    const direct = await privateRoom(alice.userId, muc);
    const said = await stage.hears(direct, "to you alone");
    expect(said.sender).toBe(toAll.sender);
    expect(stage.bodies(room)).not.toContain("to you alone");
    await alice.join(direct);
    await alice.sendText(direct, "yes?");
    const answer = await bob.sees("the answer", ({ body }) => body === "yes?");
    expect([answer.from, answer.type]).toEqual([occupant, "chat"]);
    expect(answer.xml).toContain("muc#user");
    await bob.raw(`<presence to="${muc}/bobby"/>`);
    await bob.sees("the new nick", ({ name, from }) => name === "presence" && from === `${muc}/bobby`);
    await bob.say(muc, "I am bobby", { type: "groupchat" });
    await stage.hears(room, "I am bobby");
    await alice.sendText(direct, "still you?");
    expect((await bob.sees("the next", ({ body }) => body === "still you?")).from).toBe(occupant);
    await privateMessage(occupant, "still me");
    await stage.hears(direct, "still me");
  });

  it("come from a ghost with the picture that the person shows in the room", async () => {
    const { muc, room, alice } = await linked();
    const photo = `<PHOTO><TYPE>image/png</TYPE><BINVAL>${PICTURE}</BINVAL></PHOTO>`;
    await bob.query("bob@localhost", "set", `<vCard xmlns="vcard-temp">${photo}</vCard>`);
    const hash = createHash("sha1").update(Buffer.from(PICTURE, "base64")).digest("hex");
    await bob.raw(`<presence to="${muc}/bob"><x xmlns="vcard-temp:x:update"><photo>${hash}</photo></x></presence>`);
    await bob.say(muc, "look at me", { type: "groupchat" });
    const { sender } = await stage.hears(room, "look at me");
    const profile = `/_matrix/client/v3/profile/${encodeURIComponent(sender)}`;
    const picture = await until(10_000, "the picture", async () => {
      const { avatar_url: url } = await alice.request("GET", profile);
      return typeof url === "string" && url !== "" ? url : undefined;
    });
    expect((await alice.download(picture)).content.toString("base64")).toBe(PICTURE);
  });

  it("can be corrected, and come in order", async () => {
    const { muc, alice, occupant } = await linked();
    for (const body of ["one", "two", "three"]) await privateMessage(occupant, body, `ordered-${body}`);
    const direct = await privateRoom(alice.userId, muc);
    await stage.hears(direct, "three");
    expect(stage.bodies(direct).slice(0, 3)).toEqual(["one", "two", "three"]);
    await bob.raw(
      `<message to="${occupant}" type="chat" id="corrected-3"><body>3</body><replace xmlns="urn:xmpp:message-correct:0" id="ordered-three"/></message>`,
    );
    await stage.sees(direct, "the correction", ({ content }) => JSON.stringify(content).includes("m.replace"));
  });

  it("are refused readably when the person has left, and when the room lets nobody", async () => {
    const { muc, alice, occupant } = await linked();
    await privateMessage(occupant, "bye");
    const direct = await privateRoom(alice.userId, muc);
    await stage.hears(direct, "bye");
    await alice.join(direct);
    // Prosody 0.12 knows no such setting.
    if (server.name === "ejabberd") {
      await allowPrivate(muc, false);
      await alice.sendText(direct, "may I?");
      await hearsNotice(direct, "lets nobody, or not everybody");
      // Who is gone is refused as not being there only where everybody may write to who is.
      await allowPrivate(muc, true);
    }
    await bob.raw(`<presence type="unavailable" to="${muc}/bob"/>`);
    await bob.sees("his leave", ({ type, from }) => type === "unavailable" && from === `${muc}/bob`);
    await alice.sendText(direct, "wait");
    await hearsNotice(direct, "not in");
  });

  const allowPrivate = (muc: string, allowed: boolean) =>
    bob.query(
      muc,
      "set",
      `<query xmlns="http://jabber.org/protocol/muc#owner"><x xmlns="jabber:x:data" type="submit"><field var="FORM_TYPE"><value>http://jabber.org/protocol/muc#roomconfig</value></field><field var="allow_private_messages"><value>${allowed ? 1 : 0}</value></field></x></query>`,
    );

  const hearsNotice = (room: string, text: string) =>
    stage.sees(room, text, ({ sender, content }) => sender === bot && String(content["body"]).includes(text));
}
