import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { TestClient } from "@trestle/testkit";
import { until } from "../../../../test/support/bounded.js";
import type { SlixmppInstall } from "../../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import { XmppPerson } from "../../../../test/support/xmpp-person.js";
import { onEachServer } from "../support/each-server.js";
import { bot, type PeopleStage, stageWithBob, type StageWithBob } from "../support/people-stage.js";

const USERS = ["bob", "carol"];
const THIRD_PARTY = "/_matrix/client/v3/thirdparty";
const COMMANDS = "http://jabber.org/protocol/commands";

await onEachServer("what there is, with $server", USERS, behaviour);

function behaviour(install: SlixmppInstall, start: () => Promise<XmppServer>): void {
  let server: XmppServer;
  let begun: StageWithBob;
  let bob: XmppPerson;
  let stage: PeopleStage;
  let alice: TestClient;
  let rooms = 0;

  beforeAll(async () => {
    begun = await stageWithBob(install, start, { gateway: { enabled: true } });
    ({ server, stage, bob } = begun);
    alice = stage.homeserver.createClient("alice");
  }, 60_000);
  afterAll(() => begun.close(), 60_000);

  /** A room that bob has made. */
  async function aRoom(): Promise<string> {
    const room = `place${++rooms}@${server.rooms}`;
    await bob.join(room, "bob");
    return room;
  }
  /** Whether a room is in the list of its service, which Prosody and ejabberd see differently where nobody says so. */
  async function list(room: string, isListed: boolean): Promise<void> {
    const value = isListed ? "1" : "0";
    await bob.query(
      room,
      "set",
      `<query xmlns="http://jabber.org/protocol/muc#owner"><x xmlns="jabber:x:data" type="submit"><field var="FORM_TYPE"><value>http://jabber.org/protocol/muc#roomconfig</value></field><field var="muc#roomconfig_publicroom"><value>${value}</value></field></x></query>`,
    );
  }
  const aliasOf = (room: string) => `#xmpp_${room}:people.test`;

  describe("to somebody on Matrix", () => {
    it("finds rooms and people of XMPP by the third-party protocol", async () => {
      const room = await aRoom();
      const asks = (path: string, query: Readonly<Record<string, string>> = {}) =>
        alice.requestJson("GET", `${THIRD_PARTY}${path}`, { query });
      expect(await asks("/protocols")).toMatchObject({
        xmpp: { location_fields: ["channel"], user_fields: ["user"], instances: [{ network_id: "xmpp" }] },
      });
      const location = { alias: aliasOf(room), protocol: "xmpp", fields: { channel: room } };
      for (const channel of [room, `xmpp:${room}?join`, room.toUpperCase()])
        expect(await asks("/location/xmpp", { channel })).toEqual([location]);
      expect(await asks("/location", { alias: aliasOf(room) })).toEqual([location]);
      for (const channel of [`nothing@${server.rooms}`, "no address", `bob@${server.domain}`])
        expect(await asks("/location/xmpp", { channel })).toEqual([]);
      const person = {
        userid: stage.ghostOf("carol@localhost"),
        protocol: "xmpp",
        fields: { user: "carol@localhost" },
      };
      for (const user of ["carol@localhost", "xmpp:Carol@localhost?message", "carol@localhost/desk"])
        expect(await asks("/user/xmpp", { user })).toEqual([person]);
      expect(await asks("/user", { userid: person.userid })).toEqual([person]);
      // Whoever is on Matrix is no person of XMPP.
      expect(await asks("/user/xmpp", { user: `alice_people.test@${server.component}` })).toEqual([]);
      expect(await asks("/user/xmpp", { user: "nonsense" })).toEqual([]);
    });

    it("is a room when they join its alias, and stands in the directory", async () => {
      const room = await aRoom();
      await list(room, true);
      const before = stage.homeserver.roomIds().length;
      const joined = await Promise.all([
        alice.join(aliasOf(room)),
        stage.homeserver.createClient("zoe").join(aliasOf(room)),
      ]);
      expect(new Set(joined).size).toBe(1);
      const [portal] = joined;
      expect(stage.homeserver.roomIds()).toHaveLength(before + 1);
      expect(await stage.trestle.services.list()).toContainEqual(
        expect.objectContaining({ room: portal, channel: room, kind: "portal" }),
      );
      await bob.sees("the bridge in the room", ({ name, from }) => name === "presence" && from === `${room}/Matrix`);
      await bob.say(room, "welcome", { type: "groupchat" });
      await stage.hears(portal, "welcome");
      await alice.sendText(portal, "thank you");
      await bob.sees("her answer", ({ from, body }) => from === `${room}/alice` && body === "thank you");
      const listed = await alice.request("POST", "/_matrix/client/v3/publicRooms", {
        body: { third_party_instance_id: "xmpp|xmpp" },
      });
      expect(listed["chunk"]).toContainEqual(expect.objectContaining({ room_id: portal }));
    });

    it("is no room where there is none on XMPP, and in no directory where it is hidden", async () => {
      await expect(alice.join(aliasOf(`nothing@${server.rooms}`))).rejects.toMatchObject({ status: 404 });
      const hidden = await aRoom();
      await list(hidden, false);
      const portal = await alice.join(aliasOf(hidden));
      const listed = await alice.request("POST", "/_matrix/client/v3/publicRooms", {
        body: { third_party_instance_id: "xmpp|xmpp" },
      });
      expect(JSON.stringify(listed["chunk"])).not.toContain(portal);
    });
  });

  describe("to somebody on XMPP", () => {
    const run = (person: XmppPerson, node: string, typed: Readonly<Record<string, string>> = {}) => {
      const fields = Object.entries(typed).map(
        ([name, value]) => `<field var="${name}"><value>${value}</value></field>`,
      );
      return person.query(
        server.component,
        "set",
        `<command xmlns="${COMMANDS}" node="${node}"><x xmlns="jabber:x:data" type="submit">${fields.join("")}</x></command>`,
      );
    };

    it("is linked and unlinked by command, as a moderator of the Matrix room agrees", async () => {
      const room = await aRoom();
      const matrix = await alice.createRoom({ preset: "public_chat", room_alias_name: `linked${rooms}` });
      const typed = { room, matrix: `#linked${rooms}:people.test` };
      // The room does not tell everybody who its owners are.
      expect(await run(bob, "link", typed)).toContain(`Make bridge@${server.component} an owner of it`);
      await bob.query(
        room,
        "set",
        `<query xmlns="http://jabber.org/protocol/muc#admin"><item jid="bridge@${server.component}" affiliation="owner"/></query>`,
      );
      expect(await run(bob, "link", typed)).toContain(`have ${bot} invited there first`);
      await alice.invite(matrix, bot);
      await until(10_000, "the bot in the room", () =>
        stage.homeserver.room(matrix).members()[bot] === "join" ? true : undefined,
      );
      const carol = await XmppPerson.connect(install, server, "carol");
      expect(await run(carol, "link", typed)).toContain("Only owners and admins");
      expect(await run(bob, "link", typed)).toContain("are asked whether they want to be linked");
      const asked = await stage.sees(matrix, "the question", ({ content }) =>
        /bob@localhost on XMPP asks to link/.test(String(content["body"])),
      );
      const [, command = ""] = /agrees with: (.+)$/.exec(String(asked.content["body"])) ?? [];
      await alice.sendText(matrix, command);
      await bob.sees("the bridge in the room", ({ name, from }) => name === "presence" && from === `${room}/Matrix`);
      expect(await run(bob, "list", { room })).toContain(`Linked to #linked${rooms}:people.test.`);
      expect(await run(bob, "status")).toContain(`${server.component}: connected`);
      expect(await run(carol, "unlink", { room })).toContain("Only owners and admins");
      expect(await run(bob, "unlink", { room })).toContain("no longer linked");
      await stage.sees(matrix, "that it is unlinked", ({ content }) =>
        /bob@localhost has removed the link/.test(String(content["body"])),
      );
      await bob.sees("the bridge gone", ({ type, from }) => type === "unavailable" && from === `${room}/Matrix`);
      await carol.end();
    });

    it("is a Matrix room to be joined, when a moderator there agrees", async () => {
      const name = `open${++rooms}`;
      const matrix = await alice.createRoom({ preset: "public_chat", room_alias_name: name, name: "An open room" });
      await alice.invite(matrix, bot);
      await until(10_000, "the bot in the room", () =>
        stage.homeserver.room(matrix).members()[bot] === "join" ? true : undefined,
      );
      expect(await run(bob, "link", { room: "", matrix: `#${name}:people.test` })).toContain("are asked");
      const asked = await stage.sees(matrix, "the question", ({ content }) =>
        /asks to link/.test(String(content["body"])),
      );
      await alice.sendText(matrix, /agrees with: (.+)$/.exec(String(asked.content["body"]))?.[1] ?? "");
      await stage.sees(matrix, "the answer", ({ content }) => /is now linked/.test(String(content["body"])));
      const address = `#${name}#people.test@${server.component}`;
      await bob.join(address, "bob");
      await bob.say(address, "here I am", { type: "groupchat" });
      await stage.hears(matrix, "here I am");
      expect(await run(bob, "list", { room: "" })).toContain(address);
    });
  });
}
