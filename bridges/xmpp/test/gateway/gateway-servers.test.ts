import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "@jest/globals";
import { startEjabberd } from "../../../../test/support/servers/ejabberd.js";
import { realServers } from "../../../../test/support/servers/index.js";
import { startProsody } from "../../../../test/support/servers/prosody.js";
import type { SlixmppInstall } from "../../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import { XmppPerson } from "../../../../test/support/xmpp-person.js";
import { GatewayStage } from "./support/gateway-stage.js";

const prosody = await realServers("prosody", "slixmpp");
const ejabberd = await realServers("ejabberd", "slixmpp");
const USERS = ["carol", "dave"];

prosody.describe("rooms of the gateway behind Prosody", (installs) =>
  behaviour(installs.slixmpp, () => startProsody(installs.prosody, { users: USERS })),
);
ejabberd.describe("rooms of the gateway behind ejabberd", (installs) =>
  behaviour(installs.slixmpp, () => startEjabberd(installs.ejabberd, { users: USERS })),
);

function behaviour(install: SlixmppInstall, start: () => Promise<XmppServer>): void {
  let server: XmppServer;
  let carol: XmppPerson;
  let dave: XmppPerson;
  let stage: GatewayStage;

  beforeAll(async () => {
    server = await start();
    carol = await XmppPerson.connect(install, server, "carol");
    dave = await XmppPerson.connect(install, server, "dave");
  }, 60_000);
  beforeEach(async () => {
    carol.seen.length = 0;
    dave.seen.length = 0;
    const { componentPort: port, component: domain, secret } = server;
    stage = await GatewayStage.open({ port, domain, secret });
  });
  afterEach(async () => {
    await stage.close();
  });
  afterAll(async () => {
    await carol.end();
    await dave.end();
    await server.process.stop();
  }, 60_000);

  it("lets people in, shows them who is there, and carries what is said both ways", async () => {
    const room = stage.channel;
    await carol.join(room, "Carol");
    const presences = carol.seen.filter(({ name, from }) => name === "presence" && from?.startsWith(`${room}/`));
    expect(presences.map(({ from }) => from)).toEqual([`${room}/Alice`, `${room}/Bob`, `${room}/Carol`]);
    for (const code of [100, 110, 170]) expect(presences.at(-1)?.xml).toContain(`code="${code}"`);
    await carol.sees("the subject", ({ subject, from }) => subject === "Bridges" && from === room);
    await stage.core.until("her joining", () => stage.core.received.some(({ kind }) => kind === "membership"));

    const id = await stage.say("Bob", "hello XMPP");
    const seen = await carol.sees("Bob", ({ body }) => body === "hello XMPP");
    expect(seen.from).toBe(`${room}/Bob`);
    expect(seen.xml).toContain(`id="${id}"`);

    await dave.join(room, "Dave");
    await carol.say(room, "hello Matrix", { type: "groupchat", id: "mine" });
    const shown = await dave.sees("Carol", ({ body }) => body === "hello Matrix");
    expect([shown.from, shown.id]).toEqual([`${room}/Carol`, "mine"]);
    expect(stage.core.texts(room)).toEqual(["hello Matrix"]);
    expect(stage.core.messages(room)[0]?.sender).toEqual({ id: `carol@${server.domain}`, name: "Carol" });
  });
}
