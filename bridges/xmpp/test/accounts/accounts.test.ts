import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { configSchema, xmppConnector } from "@trestle/xmpp";
import { pino } from "pino";
import { patiently, until } from "../../../../test/support/bounded.js";
import { realServers } from "../../../../test/support/servers/index.js";
import { startProsody } from "../../../../test/support/servers/prosody.js";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import { XmppPerson } from "../../../../test/support/xmpp-person.js";
import { bot, PeopleStage } from "../support/people-stage.js";
import { WireSpy } from "../support/wire-spy.js";

const prosody = await realServers("prosody", "slixmpp");

prosody.describe("a Matrix user's own account on Prosody", (installs) => {
  let server: XmppServer;
  let line: WireSpy;
  let stage: PeopleStage;
  let bob: XmppPerson;
  /** Another client of alice's. */
  let phone: XmppPerson;
  let alice: ReturnType<PeopleStage["homeserver"]["createClient"]>;
  let control: string;
  const people: XmppPerson[] = [];
  const connect = async (user: string) => {
    const person = await XmppPerson.connect(installs.slixmpp, server, user);
    people.push(person);
    return person;
  };

  beforeAll(async () => {
    server = await startProsody(installs.prosody, { users: ["alice", "bob", "relay"] });
    line = await WireSpy.before(server.clientPort);
    const accounts = {
      enabled: true,
      servers: { localhost: { host: "127.0.0.1", port: line.port, security: "none" } },
    };
    stage = await PeopleStage.open(server, { accounts }, {}, true, { policyLists: ["#bans:people.test"] });
    bob = await connect("bob");
    alice = stage.homeserver.createClient("alice");
  }, 60_000);
  afterAll(async () => {
    for (const person of people) await person.end();
    await stage.close();
    await line.stop();
    await server.process.stop();
  }, 60_000);

  const signIn = async (user: typeof alice, address: string, password: string) => {
    const room = await stage.writeToBot(user, "login");
    await stage.botSays(room, /XMPP address/);
    await user.sendText(room, address);
    await stage.botSays(room, /[Pp]assword/);
    await user.sendText(room, password);
    return room;
  };
  const bobSees = (body: string) => bob.sees(`“${body}”`, (stanza) => stanza.body === body);
  const carbons = `<iq type="set" id="carbons"><enable xmlns="urn:xmpp:carbons:2"/></iq>`;

  describe("signing in", () => {
    it("says so when the password is wrong, and keeps nothing", async () => {
      const room = await signIn(alice, "alice@localhost", "no password of hers");
      await stage.botSays(room, /The login failed: the server does not take this password for alice@localhost/);
      expect(stage.bodies(room)).not.toContain("no password of hers");
      await alice.sendText(room, "status");
    });

    it("takes no address of the bridge's own, and none that is no address", async () => {
      for (const [address, answer] of [
        [`somebody@${server.component}`, /is an address of this bridge/],
        ["not an address", /is no XMPP address/],
      ] as const) {
        const room = await signIn(alice, address, "x");
        await stage.botSays(room, answer);
      }
    });

    it("signs in with the address and its password", async () => {
      control = await signIn(alice, "alice@localhost", "alice");
      await stage.botSays(control, /^Signed in as alice@localhost/);
      expect(stage.bodies(control)).not.toContain("alice");
      // To look what the server offers would not be enough: SCRAM is used where it is there.
      expect(line.sent).toContain('mechanism="SCRAM-SHA-');
      expect(line.sent).not.toContain('mechanism="PLAIN"');
      phone = await connect("alice");
      await phone.raw(carbons);
    });

    it("lets nobody else use the same account", async () => {
      const room = await signIn(stage.homeserver.createClient("mallory"), "alice@localhost", "alice");
      await stage.botSays(room, /somebody else has signed in as alice@localhost/);
    });
  });

  describe("a conversation", () => {
    let room: string;
    beforeAll(async () => {
      await bob.say("alice@localhost", "hello alice");
      room = await stage.directRoom(alice, "bob@localhost");
    });

    it("begins with a message to the account, and the Matrix user is in its room", async () => {
      const said = await stage.hears(room, "hello alice");
      expect(said.sender).toBe(stage.ghostOf("bob@localhost"));
      await until(10_000, "alice is in the room", () =>
        stage.homeserver.room(room).members()[alice.userId] === "join" ? true : undefined,
      );
    });

    it("takes what is said on Matrix to the person, from the account", async () => {
      await alice.sendText(room, "hello from Matrix");
      const seen = await bobSees("hello from Matrix");
      expect(seen.from).toMatch(/^alice@localhost\//);
      // Her other client has a copy of it.
      await phone.sees("the copy", ({ xml }) => xml.includes("carbons:2") && xml.includes("hello from Matrix"));
    });

    it("shows what another client of hers says as her own", async () => {
      await phone.say("bob@localhost", "hello from the phone", { id: "from-the-phone-1" });
      await bobSees("hello from the phone");
      const said = await stage.hears(room, "hello from the phone");
      expect(said.sender).toBe(alice.userId);
      expect(stage.bodies(room).filter((body) => body === "hello from Matrix")).toHaveLength(1);
    });

    it("carries what other clients correct, react with and take back", async () => {
      await phone.raw(
        `<message to="bob@localhost" type="chat" id="corrected-1"><body>hello from my phone</body><replace xmlns="urn:xmpp:message-correct:0" id="from-the-phone-1"/></message>`,
      );
      const edit = await stage.sees(room, "the correction", ({ content }) => "m.new_content" in content);
      expect(edit.sender).toBe(alice.userId);
      const bobs = await bob.say("alice@localhost", "to react to");
      const target = await stage.hears(room, "to react to");
      await phone.raw(
        `<message to="bob@localhost" type="chat" id="reaction-1"><reactions xmlns="urn:xmpp:reactions:0" id="${bobs}"><reaction>👍</reaction></reactions></message>`,
      );
      const reaction = await stage.sees(room, "the reaction", ({ sender }) => sender === alice.userId, "m.reaction");
      expect(reaction.content["m.relates_to"]).toMatchObject({ event_id: target.id, key: "👍" });
    });

    it("lets nobody take back what somebody else said", async () => {
      await phone.say("bob@localhost", "what bob cannot take back", { id: "from-the-phone-2" });
      await stage.hears(room, "what bob cannot take back");
      for (const [from, id] of [
        [bob, "from-the-phone-2"],
        [phone, "from-the-phone-2"],
      ] as const)
        await from.raw(
          `<message to="${from === bob ? "alice" : "bob"}@localhost" type="chat" id="retract-${from === bob ? 1 : 2}"><retract xmlns="urn:xmpp:message-retract:1" id="${id}"/></message>`,
        );
      const redaction = await stage.sees(room, "a redaction", () => true, "m.room.redaction");
      expect(redaction.sender).toBe(alice.userId);
      expect(stage.timeline(room, "m.room.redaction")).toHaveLength(1);
    });

    it("takes a message once that is delivered twice, as by a server that was restarted", async () => {
      for (const _ of [1, 2]) await bob.say("alice@localhost", "only once", { id: "delivered-twice-1" });
      await bob.say("alice@localhost", "the next one");
      await stage.hears(room, "the next one");
      expect(stage.bodies(room).filter((body) => body === "only once")).toHaveLength(1);
    });

    it("is not moved by a copy that somebody else made up", async () => {
      const inner = `<forwarded xmlns="urn:xmpp:forward:0"><message xmlns="jabber:client" from="alice@localhost/x" to="bob@localhost" type="chat" id="forged-1"><body>I owe you money</body></message></forwarded>`;
      await bob.raw(
        `<message to="alice@localhost" type="chat" id="forged-outer"><sent xmlns="urn:xmpp:carbons:2">${inner}</sent></message>`,
      );
      await bob.raw(
        `<message to="alice@localhost" type="chat" id="forged-outer-2"><result xmlns="urn:xmpp:mam:2" id="x" queryid="x">${inner}</result></message>`,
      );
      await bob.say("alice@localhost", "after the forgery");
      await stage.hears(room, "after the forgery");
      expect(stage.bodies(room).join("\n")).not.toContain("I owe you money");
    });

    it("has files where the account's own server keeps them, and the account asks for their places", async () => {
      const [byAccount, byComponent] = [line.sent.length, stage.spy.sent.length];
      const url = await alice.upload(Buffer.from("a plan"), "text/plain", "plan.txt");
      const content = { msgtype: "m.file", body: "plan.txt", url, info: { mimetype: "text/plain", size: 6 } };
      await alice.send(room, "m.room.message", content);
      const seen = await bob.sees("the file", ({ xml }) => xml.includes("jabber:x:oob"));
      expect(seen.from).toMatch(/^alice@localhost\//);
      expect(await (await fetch(seen.body ?? "")).text()).toBe("a plan");
      expect(line.sent.slice(byAccount)).toContain("urn:xmpp:http:upload:0");
      expect(stage.spy.sent.slice(byComponent)).not.toContain("urn:xmpp:http:upload:0");
    });

    it("is a dead letter where the person does not exist", async () => {
      const invite = [stage.ghostOf("nobody@localhost")];
      const other = await alice.createRoom({ invite, is_direct: true, preset: "trusted_private_chat" });
      await stage.directRoom(alice, "nobody@localhost");
      await alice.sendText(other, "is anybody there?");
      await until(15_000, "the dead letter", async () => {
        const { bridges } = await stage.trestle.services.status();
        return bridges.some(({ toNetwork }) => toNetwork.dead > 0) ? true : undefined;
      });
    });
  });

  describe("what was said while the bridge was away", () => {
    it("comes once and in order after the line was cut, with both sides talking", async () => {
      const room = await stage.directRoom(alice, "bob@localhost");
      const before = stage.bodies(room).length;
      const texts: string[] = [];
      for (let index = 0; index < 12; index++) {
        if (index % 5 === 2) line.cut();
        texts.push(`while cut ${index}`);
        await bob.say("alice@localhost", `while cut ${index}`);
        await alice.sendText(room, `out ${index}`);
      }
      await stage.hears(room, "while cut 11");
      await bobSees("out 11");
      const outs = bob.seen.flatMap(({ body }) => (body?.startsWith("out ") === true ? [body] : []));
      expect(outs).toEqual(texts.map((_, index) => `out ${index}`));
      const said = stage.bodies(room).slice(before);
      expect(said.filter((body) => body.startsWith("while cut"))).toEqual(texts);
    });

    it("comes once and in order when Trestle was stopped, the other client's words too", async () => {
      const room = await stage.directRoom(alice, "bob@localhost");
      const before = stage.bodies(room).length;
      await stage.stop();
      for (let index = 0; index < 5; index++) {
        await bob.say("alice@localhost", `bob while stopped ${index}`);
        await phone.sees("what bob says", ({ body }) => body === `bob while stopped ${index}`);
        await phone.say("bob@localhost", `alice while stopped ${index}`, { id: `stopped-phone-${index}` });
        await bobSees(`alice while stopped ${index}`);
      }
      await stage.start();
      await stage.hears(room, "alice while stopped 4");
      const expected = [0, 1, 2, 3, 4].flatMap((index) => [
        `bob while stopped ${index}`,
        `alice while stopped ${index}`,
      ]);
      expect(stage.bodies(room).slice(before)).toEqual(expected);
      const own = stage.timeline(room).filter(({ content }) => String(content["body"]).startsWith("alice while"));
      expect(new Set(own.map(({ sender }) => sender))).toEqual(new Set([alice.userId]));
    });
  });

  describe("a room", () => {
    const address = "garden@rooms.localhost";
    let room: string;
    beforeAll(async () => {
      for (const [person, nick] of [
        [bob, "bob"],
        [phone, "alice on the phone"],
      ] as const)
        await person.join(address, nick);
      room = await alice.createRoom({ invite: [bot] });
      await until(15_000, "the bot in the room", () =>
        stage.homeserver.room(room).members()[bot] === "join" ? true : undefined,
      );
      await alice.sendText(room, `!xmpp link ${address}`);
      await stage.botSays(room, /[Ll]inked/);
    });

    it("has the Matrix user in it under their own address", async () => {
      await alice.sendText(room, "hello garden");
      await bob.sees(
        "it",
        ({ from, body, type }) => type === "groupchat" && from === `${address}/alice` && body === "hello garden",
      );
      // As her own address she is there for all that the room keeps of people.
      const copy = await phone.sees(
        "it too",
        ({ from, body }) => from === `${address}/alice` && body === "hello garden",
      );
      const said = await phone.say(address, "from my phone", { type: "groupchat" });
      const mine = await bob.sees("what the phone says", ({ id }) => id === said);
      const occupant = /<[^\s>]*occupant-id[^>]*\sid="([^"]*)"/;
      expect(occupant.exec(copy.xml)?.[1]).toBe(occupant.exec(mine.xml)?.[1]);
      expect(occupant.exec(copy.xml)?.[1]).toBeDefined();
    });

    it("shows what she says there with another client as her own", async () => {
      const said = await stage.hears(room, "from my phone");
      expect(said.sender).toBe(alice.userId);
      await bob.say(address, "hello alice", { type: "groupchat" });
      expect((await stage.hears(room, "hello alice")).sender).not.toBe(alice.userId);
      expect(stage.bodies(room).filter((body) => body === "hello garden")).toHaveLength(1);
    });

    it("loses, repeats and reorders nothing when the line of the account is cut", async () => {
      const texts = Array.from({ length: 9 }, (_, index) => `in the garden ${index}`);
      for (const [index, text] of texts.entries()) {
        if (index % 4 === 2) line.cut();
        await alice.sendText(room, text);
      }
      await bob.sees("the last", ({ body }) => body === texts.at(-1));
      const seen = bob.seen.flatMap(({ type, body }) =>
        type === "groupchat" && body?.startsWith("in the") === true ? [body] : [],
      );
      expect(seen).toEqual(texts);
    });

    it("shows what she said with another client while Trestle was stopped as her own", async () => {
      await stage.stop();
      await phone.say(address, "nobody listens", { type: "groupchat" });
      await bob.sees("it", ({ body }) => body === "nobody listens");
      await stage.start();
      expect((await stage.hears(room, "nobody listens")).sender).toBe(alice.userId);
      await alice.sendText(room, "now we do");
      await bob.sees("it", ({ from, body }) => from === `${address}/alice` && body === "now we do");
    });
  });

  describe("a policy list that bans the Matrix user", () => {
    it("has the account disconnected, until the ban is lifted", async () => {
      const moderator = stage.homeserver.createClient("moderator");
      const list = await moderator.createRoom({ room_alias_name: "bans", preset: "public_chat" });
      await moderator.invite(list, bot);
      await until(20_000, "the list is followed", () =>
        stage.homeserver.room(list).members()[bot] === "join" ? true : undefined,
      );
      const isConnected = async () => {
        const { bridges } = await stage.trestle.services.status();
        const found = bridges[0]?.connections.find(({ connection }) => connection === "alice@localhost");
        return found?.state === "connected";
      };
      expect(await isConnected()).toBe(true);
      const rule = { entity: alice.userId, recommendation: "m.ban", reason: "" };
      await moderator.setState(list, "m.policy.rule.user", rule, "rule");
      await until(10_000, "it is disconnected", async () => ((await isConnected()) ? undefined : true));
      await stage.stop();
      await stage.start();
      expect(await isConnected()).toBe(false);
      await moderator.setState(list, "m.policy.rule.user", {}, "rule");
      await until(10_000, "it is connected again", async () => ((await isConnected()) ? true : undefined));
      await alice.sendText(await stage.directRoom(alice, "bob@localhost"), "I am back");
      expect((await bobSees("I am back")).from).toMatch(/^alice@localhost\//);
    });
  });

  describe("signing out", () => {
    it("ends it, and the Matrix user speaks through the component again", async () => {
      await alice.sendText(control, "logout");
      await stage.botSays(control, /[Ss]igned out|no longer/);
      const room = await stage.directRoom(alice, "bob@localhost");
      await alice.sendText(room, "through the component");
      expect((await bobSees("through the component")).from).toBe(`${stage.addressOf(alice)}/matrix`);
    });

    it("happens by itself when the server takes the password no more, and the user is told", async () => {
      const again = await signIn(alice, "alice@localhost", "alice");
      await stage.botSays(again, /^Signed in as alice@localhost/);
      const account = join(server.process.directory, "data", "localhost", "accounts", "alice.dat");
      await writeFile(account, 'return { ["password"] = "another one" };\n');
      line.cut();
      const told = await stage.botSays(again, /^You are no longer signed in as alice@localhost/);
      expect(told).toMatch(/does not take this password .* Sign in again/);
    });
  });

  describe("an account instead of a component", () => {
    const address = "park@rooms.localhost";
    let relayed: PeopleStage;
    let someone: typeof alice;
    let room: string;
    beforeAll(async () => {
      const accounts = { servers: { localhost: { host: "127.0.0.1", port: line.port, security: "none" } } };
      const account = { jid: "relay@localhost", password: "relay" };
      relayed = await PeopleStage.open(server, { domain: "", secret: "", account, accounts });
      await bob.join(address, "bob");
      someone = relayed.homeserver.createClient("someone");
      room = await someone.createRoom({ invite: [bot] });
      await until(15_000, "the bot in the room", () =>
        relayed.homeserver.room(room).members()[bot] === "join" ? true : undefined,
      );
      await someone.sendText(room, `!xmpp link ${address}`);
      await relayed.botSays(room, /[Ll]inked/);
    }, 60_000);
    afterAll(() => relayed.close(), 30_000);

    it("is looked at by the doctor beside the bridge", async () => {
      const servers = { localhost: { host: "127.0.0.1", port: server.clientPort, security: "none" as const } };
      const examined = async (password: string) => {
        const config = configSchema.parse({ account: { jid: "relay@localhost", password }, accounts: { servers } });
        const signal = AbortSignal.timeout(patiently(15_000));
        return xmppConnector.doctor?.({ config, signal, running: true, log: pino({ level: "silent" }) });
      };
      expect(await examined("relay")).toMatchObject([{ check: "account", state: "ok" }]);
      expect(await examined("wrong")).toMatchObject([
        { check: "account", state: "failed", text: expect.stringContaining("does not take this password") },
      ]);
    });

    it("says who says what on Matrix, and takes what is said to Matrix", async () => {
      await someone.sendText(room, "hello park");
      const seen = await bob.sees("it", ({ body }) => body?.includes("hello park") === true);
      expect(seen.from).toBe(`${address}/Matrix`);
      expect(seen.body).toBe("<someone> hello park");
      await bob.say(address, "hello Matrix", { type: "groupchat" });
      await relayed.hears(room, "hello Matrix");
      expect(relayed.bodies(room).filter((body) => body.includes("hello park"))).toHaveLength(1);
    });

    it("loses, repeats and reorders nothing when its line is cut and when it was stopped", async () => {
      for (let index = 0; index < 8; index++) {
        if (index === 2 || index === 6) line.cut();
        await someone.sendText(room, `out of Matrix ${index}`);
        await bob.say(address, `into Matrix ${index}`, { type: "groupchat" });
      }
      await bob.sees("the last", ({ body }) => body === "<someone> out of Matrix 7");
      await relayed.hears(room, "into Matrix 7");
      await relayed.stop();
      for (const index of [8, 9]) await bob.say(address, `into Matrix ${index}`, { type: "groupchat" });
      await bob.sees("the last of bob", ({ body, type }) => type === "groupchat" && body === "into Matrix 9");
      await relayed.start();
      await relayed.hears(room, "into Matrix 9");
      const into = relayed.bodies(room).filter((body) => body.startsWith("into"));
      expect(into).toEqual(Array.from({ length: 10 }, (_, index) => `into Matrix ${index}`));
      const out = bob.seen.flatMap(({ body }) => (body?.includes("out of Matrix") === true ? [body] : []));
      expect(out).toEqual(Array.from({ length: 8 }, (_, index) => `<someone> out of Matrix ${index}`));
    });
  });
});
