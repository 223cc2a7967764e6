import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { until } from "../../../../test/support/bounded.js";
import type { SlixmppInstall } from "../../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import { XmppPerson } from "../../../../test/support/xmpp-person.js";
import { onEachServer } from "../support/each-server.js";
import { type PeopleStage, stageWithBob, type StageWithBob } from "../support/people-stage.js";

const USERS = ["bob", "carol"];
/** The smallest picture there is, in PNG. */
const PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

await onEachServer("who is there, on $server", USERS, behaviour);

function behaviour(install: SlixmppInstall, start: () => Promise<XmppServer>): void {
  let server: XmppServer;
  let begun: StageWithBob;
  let bob: XmppPerson;
  let stage: PeopleStage;
  let users = 0;

  beforeAll(async () => {
    begun = await stageWithBob(install, start);
    ({ server, stage, bob } = begun);
  }, 60_000);
  afterAll(() => begun.close(), 60_000);

  const somebody = () => stage.homeserver.createClient(`friend${++users}`);
  const presence = (person: XmppPerson, type: string | null, address: string) =>
    person.sees(
      `${type ?? "available"} from ${address}`,
      (stanza) => stanza.name === "presence" && stanza.type === type && stanza.from?.startsWith(address) === true,
    );

  it("lets everybody see a Matrix user, asks for theirs in return, and tells it again to whoever comes back", async () => {
    const address = stage.addressOf(somebody());
    await bob.raw(`<presence to="${address}" type="subscribe"/>`);
    await presence(bob, "subscribed", address);
    const shown = await presence(bob, null, `${address}/matrix`);
    expect(shown.xml).toContain("http://jabber.org/protocol/caps");
    expect(shown.xml).toContain("http://jabber.org/protocol/nick");
    await presence(bob, "subscribe", address);
    await bob.end();
    bob = await XmppPerson.connect(install, server, "bob");
    await presence(bob, null, `${address}/matrix`);
  });

  it("shows nobody after the end of a subscription, and at the end of the bridge", async () => {
    const [first, second] = [stage.addressOf(somebody()), stage.addressOf(somebody())];
    for (const address of [first, second]) {
      await bob.raw(`<presence to="${address}" type="subscribe"/>`);
      await presence(bob, null, `${address}/matrix`);
    }
    await bob.raw(`<presence to="${first}" type="unsubscribe"/>`);
    await presence(bob, "unavailable", `${first}/matrix`);
    await stage.stop();
    await presence(bob, "unavailable", `${second}/matrix`);
    const before = bob.seen.length;
    await stage.start();
    await bob.sees(
      "the presence of those who are still seen",
      (stanza) => bob.seen.indexOf(stanza) >= before && stanza.from === `${second}/matrix` && stanza.type === null,
    );
  });

  it("gives the ghost the name and the picture of the vCard, and another name when it is told", async () => {
    const carol = await XmppPerson.connect(install, server, "carol");
    await carol.query(
      "carol@localhost",
      "set",
      `<vCard xmlns="vcard-temp"><NICKNAME>Caroline</NICKNAME><PHOTO><TYPE>image/png</TYPE><BINVAL>${PICTURE}</BINVAL></PHOTO></vCard>`,
    );
    const alice = somebody();
    await carol.say(stage.addressOf(alice), "it is me");
    const room = await stage.directRoom(alice, "carol@localhost");
    await alice.join(room);
    await stage.hears(room, "it is me");
    const ghost = stage.ghostOf("carol@localhost");
    const profile = () => alice.request("GET", `/_matrix/client/v3/profile/${encodeURIComponent(ghost)}`);
    const { displayname, avatar_url: picture = "" } = await profile();
    expect(displayname).toBe("Caroline");
    const { content } = await alice.download(picture as string);
    expect(content.toString("base64")).toBe(PICTURE);
    await carol.raw(
      `<presence to="${stage.addressOf(alice)}"><nick xmlns="http://jabber.org/protocol/nick">Carrie</nick></presence>`,
    );
    await until(10_000, "the new name", async () => ((await profile())["displayname"] === "Carrie" ? true : undefined));
    await carol.end();
  });

  it("answers with the name and the picture of a Matrix user, in the vCard and as published", async () => {
    const alice = somebody();
    await alice.setDisplayName("Alice <&> Ärger");
    const uri = await alice.upload(Buffer.from(PICTURE, "base64"), "image/png", "me.png");
    await alice.request("PUT", `/_matrix/client/v3/profile/${encodeURIComponent(alice.userId)}/avatar_url`, {
      body: { avatar_url: uri },
    });
    const room = await alice.createRoom({ invite: [stage.ghostOf("bob@localhost")], is_direct: true });
    await stage.directRoom(alice, "bob@localhost");
    await alice.sendText(room, "look at me");
    await bob.sees("the message", ({ body }) => body === "look at me");
    const address = stage.addressOf(alice);
    const card = await until(10_000, "the vCard with the picture", async () => {
      const answer = await bob.query(address, "get", `<vCard xmlns="vcard-temp"/>`);
      return answer.includes(PICTURE) ? answer : undefined;
    });
    expect(card).toContain("Alice &lt;&amp;&gt; Ärger");
    const metadata = await bob.query(
      address,
      "get",
      `<pubsub xmlns="http://jabber.org/protocol/pubsub"><items node="urn:xmpp:avatar:metadata"/></pubsub>`,
    );
    const id = /id="([0-9a-f]{40})"/.exec(metadata)?.[1] ?? "";
    const data = await bob.query(
      address,
      "get",
      `<pubsub xmlns="http://jabber.org/protocol/pubsub"><items node="urn:xmpp:avatar:data"><item id="${id}"/></items></pubsub>`,
    );
    expect(data).toContain(PICTURE);
  });

  it("marks on Matrix what was read on XMPP", async () => {
    const alice = somebody();
    const room = await alice.createRoom({ invite: [stage.ghostOf("bob@localhost")], is_direct: true });
    await stage.directRoom(alice, "bob@localhost");
    // Nobody has heard of the ghost before it says something.
    await bob.say(stage.addressOf(alice), "who are you?");
    await stage.hears(room, "who are you?");
    const event = await alice.sendText(room, "have you read it?");
    const { id } = await bob.sees("the question", ({ body }) => body === "have you read it?");
    await bob.raw(
      `<message to="${stage.addressOf(alice)}" type="chat"><displayed xmlns="urn:xmpp:chat-markers:0" id="${id ?? ""}"/></message>`,
    );
    await until(10_000, "the receipt", () =>
      stage.homeserver.room(room).receipt(stage.ghostOf("bob@localhost")) === event ? true : undefined,
    );
  });

  describe("the component and its users", () => {
    it("say what they are", async () => {
      const info = `<query xmlns="http://jabber.org/protocol/disco#info"/>`;
      const component = await bob.query(server.component, "get", info);
      expect(component).toMatch(/category="gateway"[^>]*type="matrix"|type="matrix"[^>]*category="gateway"/);
      expect(component).toContain("jabber:iq:gateway");
      const address = stage.addressOf(somebody());
      await bob.raw(`<presence to="${address}" type="subscribe"/>`);
      const { xml } = await presence(bob, null, `${address}/matrix`);
      const [, ver = ""] = /ver="([^"]+)"/.exec(xml) ?? [];
      const [, node = ""] = /node="([^"]+)"/.exec(xml) ?? [];
      const user = await bob.query(
        `${address}/matrix`,
        "get",
        `<query xmlns="http://jabber.org/protocol/disco#info" node="${node}#${ver}"/>`,
      );
      expect(user).toContain("urn:xmpp:message-correct:0");
      expect(user).toContain(`node="${node}#${ver}"`);
      const unknown = await bob.query(
        `${address}/matrix`,
        "get",
        `<query xmlns="http://jabber.org/protocol/disco#info" node="something else"/>`,
      );
      expect(unknown).toContain("item-not-found");
    });

    it("tell the address of what is typed", async () => {
      const asked = await bob.query(server.component, "get", `<query xmlns="jabber:iq:gateway"/>`);
      expect(asked).toContain("Matrix id");
      const answer = (typed: string) =>
        bob.query(server.component, "set", `<query xmlns="jabber:iq:gateway"><prompt>${typed}</prompt></query>`);
      expect(await answer("@alice:example.org")).toContain(`alice_example.org@${server.component}`);
      expect(await answer("https://matrix.to/#/#chat:example.org")).toContain(`#chat#example.org@${server.component}`);
      expect(await answer("nonsense")).toContain("item-not-found");
      const registration = await bob.query(server.component, "get", `<query xmlns="jabber:iq:register"/>`);
      expect(registration).toContain("registered");
    });

    it("find people by name, by search and by command", async () => {
      const alice = somebody();
      await alice.setDisplayName("Findable Fiona");
      const room = await alice.createRoom({ invite: [stage.ghostOf("bob@localhost")], is_direct: true });
      await stage.directRoom(alice, "bob@localhost");
      await alice.sendText(room, "find me");
      await bob.sees("the message", ({ body }) => body === "find me");
      const address = stage.addressOf(alice);
      await until(10_000, "her in the directory", async () => {
        const search = `<query xmlns="jabber:iq:search"><nick>fiona</nick></query>`;
        return (await bob.query(server.component, "set", search)).includes(address) ? true : undefined;
      });
      const items = `<query xmlns="http://jabber.org/protocol/disco#items" node="http://jabber.org/protocol/commands"/>`;
      expect(await bob.query(server.component, "get", items)).toContain('node="search"');
      const command = "http://jabber.org/protocol/commands";
      const first = await bob.query(server.component, "set", `<command xmlns="${command}" node="search"/>`);
      const session = /sessionid="([^"]+)"/.exec(first)?.[1] ?? "";
      const found = await bob.query(
        server.component,
        "set",
        `<command xmlns="${command}" node="search" sessionid="${session}"><x xmlns="jabber:x:data" type="submit"><field var="text"><value>Fiona</value></field></x></command>`,
      );
      expect(found).toContain(address);
      expect(found).toContain("completed");
    });
  });
}
