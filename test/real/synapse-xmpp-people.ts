import { describe, expect, it } from "@jest/globals";
import { until } from "../support/bounded.js";
import type { Person } from "../support/person.js";
import { asRecord } from "../support/seen-event.js";
import type { SeenStanza } from "../support/xmpp-person.js";
import { SERVER_NAME } from "./bridged-synapse.js";
import { answers, NS, PNG, reactionsElement, reactionsIn, redacted, replaces, replyElements } from "./xmpp-look.js";
import type { XmppStage } from "./xmpp-stage.js";

/** What the tests of a suite have in common, once it has begun. */
export interface InAll {
  readonly stage: () => XmppStage;
  readonly ann: () => Person;
}

/** Conversations of two, and portals. */
export function peopleOfXmpp(inAll: InAll): void {
  describe("a conversation of two", () => {
    const send = (id: string, inner: string) =>
      inAll
        .stage()
        .alice.raw(`<message to="${inAll.stage().addressOf(inAll.ann())}" type="chat" id="${id}">${inner}</message>`);
    const seen = (what: string, wanted: (stanza: SeenStanza) => boolean) =>
      inAll
        .stage()
        .alice.sees(
          what,
          (stanza) => stanza.from?.startsWith(inAll.stage().addressOf(inAll.ann())) === true && wanted(stanza),
        );

    it("carries texts, corrections, reactions, replies, retractions, files and receipts both ways", async () => {
      const [stage, ann] = [inAll.stage(), inAll.ann()];
      await send("d1", `<body>helo</body><request xmlns="${NS.receipts}"/><markable xmlns="${NS.markers}"/>`);
      await seen("a receipt", ({ xml }) => /received[^>]*id="d1"/.test(xml));
      const room = await stage.directRoom(ann, "alice");
      const first = await ann.waitForMessage(room, "the text", ({ body }) => body === "helo");
      await ann.client.sendReadReceipt(ann.client.getRoom(room)?.findEventById(first.eventId) ?? null);
      await seen("that it was read", ({ xml }) => /displayed[^>]*id="d1"/.test(xml));
      await send("d2", `<body>hello</body><replace xmlns="${NS.correction}" id="d1"/>`);
      await ann.waitForMessage(room, "the correction", ({ event }) => replaces(event) === first.eventId);
      await send("d3", reactionsElement("d1", "👍"));
      const reaction = await ann.waitFor(
        "the reaction",
        ({ roomId, type }) => roomId === room && type === "m.reaction",
      );
      expect(asRecord(reaction.content["m.relates_to"])).toMatchObject({ key: "👍", event_id: first.eventId });
      await send("d4", reactionsElement("d1"));
      await redacted(ann, room, reaction.eventId);
      await send("d5", replyElements("d1", stage.alice.jid, "indeed"));
      const answer = await ann.waitForMessage(room, "the answer", ({ body }) => body === "indeed");
      expect(answers(answer)).toBe(first.eventId);

      const event = await ann.sendText(room, "hwo are you?");
      const shown = await seen("ann's text", ({ body }) => body === "hwo are you?");
      await ann.edit(room, event, "how are you?");
      const edit = await seen("her correction", ({ body }) => body === "how are you?");
      expect(edit.xml).toContain(`id="${shown.id ?? ""}"`);
      await ann.react(room, event, "🎉");
      expect((await seen("her reaction", ({ xml }) => reactionsIn(xml) === "🎉")).xml).toContain(shown.id);
      await ann.reply(room, first.eventId, "so do I");
      const reply = await seen("her answer", ({ body }) => body?.endsWith("so do I") === true);
      expect(reply.xml).toMatch(/<[^>]*reply[^>]*id="d1"/);
      await ann.redact(room, event);
      expect((await seen("her retraction", ({ xml }) => xml.includes(NS.retraction))).xml).toContain(shown.id);
      await send("d6", `<retract xmlns="${NS.retraction}" id="d1"/><body>gone</body>`);
      await redacted(ann, room, first.eventId);

      const image = { name: "dot.png", bytes: new Uint8Array(PNG), mimeType: "image/png", width: 1, height: 1 };
      await ann.sendImage(room, image);
      const file = await seen("the picture", ({ xml }) => xml.includes(NS.oob));
      const url = file.body ?? "";
      await send("d7", `<body>${url}</body><x xmlns="${NS.oob}"><url>${url}</url></x>`);
      const back = await ann.waitForMessage(
        room,
        "it again",
        ({ event: { content } }) => content["msgtype"] === "m.image",
      );
      expect(back.content).toMatchObject({ body: "dot.png", info: { size: PNG.length } });
      await stage.alice.raw(
        `<message to="${file.from ?? ""}" type="chat"><displayed xmlns="${NS.markers}" id="${file.id ?? ""}"/></message>`,
      );
      await until(
        20_000,
        "alice's marker",
        () => ann.client.getRoom(room)?.getEventReadUpTo(stage.ghostOf("alice")) ?? undefined,
      );
    });
  });

  describe("a room of XMPP", () => {
    it("is one of Matrix under its alias, for whoever joins that", async () => {
      const [stage, ann] = [inAll.stage(), inAll.ann()];
      const muc = `portal@${stage.xmpp.rooms}`;
      await stage.alice.join(muc, "alice");
      const { roomId: room } = await ann.client.joinRoom(`#xmpp_${muc}:${SERVER_NAME}`);
      await stage.alice.sees(
        "the bridge in the room",
        ({ name, from, type }) => name === "presence" && from === `${muc}/Matrix` && type === null,
      );
      await stage.alice.say(muc, "welcome", { type: "groupchat" });
      await ann.waitForMessage(room, "the welcome", ({ body }) => body === "welcome");
      await ann.sendText(room, "hello portal");
      const said = await stage.alice.sees("ann's text", ({ body }) => body === "hello portal");
      expect(said.from).toBe(`${muc}/ann`);
    });
  });
}
