import { afterAll, beforeAll, it } from "@jest/globals";
import { until } from "../../../../test/support/bounded.js";
import { realServers } from "../../../../test/support/servers/index.js";
import { startProsody } from "../../../../test/support/servers/prosody.js";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import { XmppPerson } from "../../../../test/support/xmpp-person.js";
import { bot, PeopleStage } from "../support/people-stage.js";

const prosody = await realServers("prosody", "slixmpp");

const ADMIN = "http://jabber.org/protocol/muc#admin";

prosody.describe("ranks, kicks and bans between a room of Prosody and a Matrix room", (installs) => {
  let server: XmppServer;
  let bob: XmppPerson;
  let stage: PeopleStage;

  beforeAll(async () => {
    server = await startProsody(installs.prosody, { users: ["bob"] });
    stage = await PeopleStage.open(server, {}, { roles: { plumbed: "both" }, channelSettings: { plumbed: "both" } });
    bob = await XmppPerson.connect(installs.slixmpp, server, "bob");
  }, 60_000);
  afterAll(async () => {
    await bob.end();
    await stage.close();
    await server.process.stop();
  }, 60_000);

  it("are the same in both, and what the XMPP room refuses is taken back in Matrix", async () => {
    const muc = `ranked@${server.rooms}`;
    await bob.join(muc, "bob");
    const [alice, dora] = [stage.homeserver.createClient("alice"), stage.homeserver.createClient("dora")];
    const room = await alice.createRoom({
      invite: [bot, dora.userId],
      preset: "public_chat",
      power_level_content_override: {
        users: { [alice.userId]: 100, [bot]: 95 },
        events: { "m.room.power_levels": 90 },
      },
    });
    const membership = (user: string) => stage.homeserver.room(room).members()[user];
    await until(10_000, "the bot in the room", () => membership(bot) === "join" || undefined);
    await stage.trestle.services.link("xmpp", room, muc, "operator");
    await dora.join(room);
    await dora.sendText(room, "hello");
    await bob.sees("dora", ({ body, from }) => body === "hello" && from === `${muc}/dora`);
    await bob.say(muc, "hello dora", { type: "groupchat" });
    const { sender: ghost } = await stage.hears(room, "hello dora");
    const levels = () => stage.homeserver.room(room).state("m.room.power_levels")?.content as Levels;
    const power = (what: string, user: string, wanted: number) =>
      until(
        10_000,
        what,
        () => (levels().users[user] ?? 0) === wanted || undefined,
        () => JSON.stringify([levels(), stage.bodies(room)]),
      );
    await power("the owner's power", ghost, 75);
    // The bridge is nobody in the room: it cannot make bob anything else.
    const set = (user: string, level: number) => {
      const { users, ...rest } = levels();
      return alice.setState(room, "m.room.power_levels", { ...rest, users: { ...users, [user]: level } });
    };
    await set(ghost, 0);
    await stage.sees(
      room,
      "why",
      ({ sender, content }) => sender === bot && String(content["body"]).includes("refused"),
    );
    await power("the owner's power again", ghost, 75);

    const admin = (item: string) => bob.query(muc, "set", `<query xmlns="${ADMIN}">${item}</query>`);
    await admin(`<item nick="dora" role="moderator"/>`);
    await power("dora's power", dora.userId, 50);
    await admin(`<item jid="bridge@${server.component}" affiliation="admin"/>`);
    await set(dora.userId, 0);
    await bob.sees("dora a participant again", ({ name, from, xml }) => {
      const isDora = name === "presence" && from === `${muc}/dora` && xml.includes(`role="participant"`);
      return isDora && bob.seen.some((seen) => seen.from === `${muc}/dora` && seen.xml.includes(`role="moderator"`));
    });
    await admin(`<item nick="dora" role="none"><reason>too loud</reason></item>`);
    await until(10_000, "dora kicked from the Matrix room", () => membership(dora.userId) === "leave" || undefined);
  });
});

type Levels = Readonly<Record<string, unknown>> & { readonly users: Readonly<Record<string, number>> };
