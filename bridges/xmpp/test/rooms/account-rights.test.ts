import { afterAll, afterEach, beforeAll, expect, it } from "@jest/globals";
import {
  ChannelId,
  LoginId,
  RemoteUserId,
  textContent,
  UserId,
  type Login,
  type Outcome,
  type Role,
} from "@trestle/core";
import type { SlixmppInstall } from "../../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import { onEachServer } from "../support/each-server.js";
import { effectOf, type FakeCore } from "../support/fake-core.js";
import { BOB, SaidStage } from "../support/said-stage.js";
import { settle } from "../../../../test/support/settle.js";

const jid = "dora@localhost";
const account: Login = {
  id: LoginId("1"),
  user: UserId(BOB),
  account: { name: jid, remoteUser: RemoteUserId(jid), secret: { jid, password: "dora" } },
};

await onEachServer(
  "the rights of a Matrix user who is in a room of $server with an account of their own",
  ["alice", "dora"],
  behaviour,
);

function behaviour(install: SlixmppInstall, start: () => Promise<XmppServer>): void {
  let stage: SaidStage;
  let componentAddress: string;

  beforeAll(async () => {
    stage = await SaidStage.build(install, start);
    componentAddress = `bob_example.org@${stage.server.component}`;
  }, 60_000);
  afterEach(() => stage.stopBridge());
  afterAll(() => stage.close(), 60_000);

  /** A room of alice's of which the bridge is an owner, with Bob in it as dora. */
  const entered = async () => {
    const servers = { localhost: { host: "127.0.0.1", port: stage.server.clientPort, security: "none" as const } };
    const bridged = await stage.bridged({ config: { accounts: { enabled: true, servers } } }, async (made) => {
      await stage.configure(made, { "muc#roomconfig_moderatedroom": "0", "muc#roomconfig_allowinvites": "1" });
      await stage.affiliate(made, stage.bridge, "owner");
    });
    await stage.handlers.signedIn?.(account);
    await stage.say(bridged.room, "here I am");
    return bridged;
  };
  const listed = async (room: string, affiliation: string): Promise<string> =>
    stage.alice.query(
      room,
      "get",
      `<query xmlns="http://jabber.org/protocol/muc#admin"><item affiliation="${affiliation}"/></query>`,
    );
  const told = (core: FakeCore, room: ChannelId): Role | undefined =>
    core
      .ofKind("roles", room)
      .flatMap(({ changes }) => changes)
      .findLast(({ who }) => "userId" in who && who.userId === BOB)?.role;

  it("are those of the account", async () => {
    const { room } = await entered();
    const role = (wanted: Role): Promise<Outcome> =>
      settle(() => {
        const who = { userId: UserId(BOB), name: "bob" };
        return stage.handlers.role?.({ ...stage.effect(room), who, role: wanted, before: "none" });
      });
    expect(await role("admin")).toBeUndefined();
    expect(await listed(room, "admin")).toContain(jid);
    expect(await listed(room, "admin")).not.toContain(componentAddress);
    // Bob is a moderator now, and does it himself.
    expect(await role("none")).toBeUndefined();
    expect(await listed(room, "admin")).not.toContain(jid);
  });

  it("let it stay when the room is closed to others than its members", async () => {
    const { room } = await entered();
    const settings = { inviteOnly: true };
    expect(await settle(() => stage.handlers.settings?.({ ...stage.effect(room), settings }))).toBeUndefined();
    expect(await listed(room, "member")).toContain(jid);
    expect(await listed(room, "member")).not.toContain(componentAddress);
    await stage.say(room, "still here");
  });

  it("are told though the bridge has the same", async () => {
    const { room, core } = await entered();
    await stage.affiliate(room, jid, "owner");
    await core.until("that Bob is an owner", () => told(core, room) === "owner");
  });

  it("are asked for from there, as are others to come", async () => {
    const { room, core } = await entered();
    const invited = await stage.handlers.invite?.({ ...stage.effect(room), who: RemoteUserId("alice@localhost") });
    expect(invited).toBeUndefined();
    const isInvitation = ({ from, xml }: { readonly from: string | null; readonly xml: string }) =>
      from === room && xml.includes("invite");
    expect((await stage.alice.sees("the invitation", isInvitation)).xml).toContain(jid);
    await stage.configure(room, { "muc#roomconfig_moderatedroom": "1" });
    await core.until("a moderated room", () =>
      core.ofKind("channel", room).some(({ settings }) => settings?.moderated === true),
    );
    await stage.alice.query(
      room,
      "set",
      `<query xmlns="http://jabber.org/protocol/muc#admin"><item nick="bob" role="visitor"/></query>`,
    );
    const hello = { content: textContent("hello"), part: 0, parts: 1 };
    expect(await settle(() => stage.handlers.message({ ...stage.effect(room), ...hello }))).toMatchObject({
      failed: "permanent",
    });
    const isRequest = ({ from, xml }: { readonly from: string | null; readonly xml: string }) =>
      from === room && xml.includes("http://jabber.org/protocol/muc#request");
    expect((await stage.alice.sees("the request for voice", isRequest)).xml).toContain(jid);
  });

  it("are not those to write to somebody alone through the bridge, and whoever tries is told", async () => {
    const { room, core } = await entered();
    await stage.raw(room, "who", "<body>who am I?</body>");
    await core.until("alice", () => core.texts(room).includes("who am I?"));
    const person = core.messages(room).at(-1)?.sender.id ?? "";
    await stage.alice.raw(
      `<message to="${room}/bob" type="chat" id="alone"><body>psst</body><x xmlns="http://jabber.org/protocol/muc#user"/></message>`,
    );
    const error = await stage.alice.sees("the error", ({ id, type }) => id === "alone" && type === "error");
    expect(error.xml).toContain(`write to ${jid}`);
    const effect = effectOf({ channel: ChannelId(`${BOB} ${room} ${person}`), text: "psst", user: BOB });
    expect(await settle(() => stage.handlers.message(effect))).toMatchObject({
      failed: "permanent",
      reason: expect.stringContaining("with a client of that account"),
    });
    // Neither has put the account out of the room.
    await stage.say(room, "still here");
    expect(stage.alice.seen.filter(({ from, type }) => from === `${room}/bob` && type === "unavailable")).toEqual([]);
  });

  it("end and begin anew with a ban", async () => {
    const { room, core } = await entered();
    await stage.affiliate(room, jid, "outcast");
    await core.until("the ban", () => core.ofKind("expulsion", room).at(-1)?.change === "ban");
    expect(core.ofKind("expulsion", room)).toMatchObject([{ userId: BOB }]);
    const hello = { content: textContent("hello"), part: 0, parts: 1 };
    expect(await stage.handlers.message({ ...stage.effect(room), ...hello })).toMatchObject({ failed: "permanent" });
    await stage.affiliate(room, jid, "none");
    await core.until("its end", () => core.ofKind("expulsion", room).at(-1)?.change === "unban");
    await stage.say(room, "back again");
  });
}
