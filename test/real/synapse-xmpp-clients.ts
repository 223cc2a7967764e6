import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { GoSendxmpp } from "../support/go-sendxmpp.js";
import { ProfanityPerson } from "../support/profanity-person.js";
import type { GoSendxmppInstall } from "../support/servers/go-sendxmpp.js";
import type { RealServers } from "../support/servers/index.js";
import type { ProfanityInstall } from "../support/servers/profanity.js";
import type { InAll } from "./synapse-xmpp-people.js";
import { PNG } from "./xmpp-look.js";

/** Clients of which nobody here wrote a line, each where this machine has it. */
export interface OtherClients {
  readonly goSendxmpp: RealServers<GoSendxmppInstall>;
  readonly profanity: RealServers<ProfanityInstall>;
}

export function otherClients({ stage, ann }: InAll, { goSendxmpp, profanity }: OtherClients): void {
  goSendxmpp.describe("go-sendxmpp", (install) => {
    let gus: GoSendxmpp;
    beforeAll(async () => {
      gus = await GoSendxmpp.connect(install, stage().xmpp, "gus");
    });
    afterAll(() => gus.end());

    it("talks to a Matrix user, and is answered; its files arrive", async () => {
      await gus.say(stage().addressOf(ann()), "hello from gus");
      const room = await stage().directRoom(ann(), "gus");
      await ann().waitForMessage(room, "gus", ({ body }) => body.trim() === "hello from gus");
      await ann().sendText(room, "hello gus");
      expect(await gus.hears("ann", "hello gus")).toContain(stage().addressOf(ann()));
      await gus.sendFile(stage().addressOf(ann()), "dot.png", PNG);
      const file = await ann().waitForMessage(
        room,
        "the file",
        ({ event: { content } }) => content["msgtype"] === "m.image",
      );
      expect(file.content).toMatchObject({ body: "dot.png", info: { size: PNG.length } });
      await ann().sendImage(room, {
        name: "back.png",
        bytes: new Uint8Array(PNG),
        mimeType: "image/png",
        width: 1,
        height: 1,
      });
      expect(await gus.hears("the file", "back.png")).toMatch(/https?:/);
    });

    it("says something in a room of Matrix", async () => {
      const { room, muc } = await stage().throughGateway(ann(), "gus-gate");
      await gus.sayIn(muc, "gus", "gus was here");
      const said = await ann().waitForMessage(room, "gus", ({ body }) => body.trim() === "gus was here");
      expect(said.sender).toBe(stage().ghostOf("gus"));
    });
  });

  profanity.describe("Profanity", (install) => {
    let pia: ProfanityPerson;
    beforeAll(async () => {
      pia = await ProfanityPerson.connect(install, stage().xmpp, "pia");
    });
    afterAll(() => pia.end());

    it("talks to a Matrix user, and is answered", async () => {
      pia.types(`/msg ${stage().addressOf(ann())} hello from pia`);
      const room = await stage().directRoom(ann(), "pia");
      await ann().waitForMessage(room, "pia", ({ body }) => body === "hello from pia");
      await ann().sendText(room, "hello pia");
      await pia.sees("ann", /RECV: <message.*hello pia/);
    });

    it("enters a room of Matrix, sees who is there, and corrects what it said", async () => {
      const { room, muc } = await stage().throughGateway(ann(), "pia-gate");
      pia.types("/correction on");
      pia.types(`/join ${muc} nick pia`);
      await pia.sees("ann in the room", new RegExp(`RECV: <presence.*${muc}/ann"`));
      await pia.sees("that it is in", /RECV: <presence.*code="110"/);
      pia.types("hlelo");
      const said = await ann().waitForMessage(room, "pia", ({ body }) => body === "hlelo");
      expect(said.sender).toBe(stage().ghostOf("pia"));
      pia.types("/correct hello");
      await ann().waitForMessage(room, "its correction", ({ body }) => body === "* hello");
      await ann().sendText(room, "welcome pia");
      await pia.sees("ann", /RECV: <message.*type="groupchat".*welcome pia/);
    });
  });
}
