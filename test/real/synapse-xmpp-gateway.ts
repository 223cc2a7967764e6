import { describe, expect, it } from "@jest/globals";
import type { SeenStanza } from "../support/xmpp-person.js";
import type { InAll } from "./synapse-xmpp-people.js";
import {
  answers,
  NS,
  PNG,
  reactionsElement,
  reactionsIn,
  redacted,
  replaces,
  replyElements,
  stanzaId,
} from "./xmpp-look.js";

/** Matrix rooms that people of XMPP enter as rooms of theirs. */
export function gatewayRooms({ stage: stageOf, ann: annOf }: InAll): void {
  describe("a room of Matrix, entered from XMPP", () => {
    const raw = (muc: string, id: string, inner: string) =>
      stageOf().alice.raw(`<message to="${muc}" type="groupchat" id="${id}">${inner}</message>`);
    const seen = (muc: string, what: string, wanted: (stanza: SeenStanza) => boolean) =>
      stageOf().alice.sees(
        what,
        (stanza) => stanza.type === "groupchat" && stanza.from?.startsWith(muc) === true && wanted(stanza),
        60_000,
      );

    it("carries texts, corrections, reactions, replies, retractions and files both ways", async () => {
      const [stage, ann] = [stageOf(), annOf()];
      const { room, muc } = await stage.throughGateway(ann, "gate");
      await stage.alice.join(muc, "alice");
      await raw(muc, "g1", "<body>helo</body>");
      const own = await seen(muc, "her own text", ({ id }) => id === "g1");
      const first = await ann.waitForMessage(room, "the text", ({ body }) => body === "helo");
      expect(first.sender).toBe(stage.ghostOf("alice"));
      await raw(muc, "g2", `<body>hello</body><replace xmlns="${NS.correction}" id="g1"/>`);
      await ann.waitForMessage(room, "the correction", ({ event }) => replaces(event) === first.eventId);
      await raw(muc, "g3", reactionsElement(stanzaId(own), "👍"));
      const reaction = await ann.waitFor(
        "the reaction",
        ({ roomId, type }) => roomId === room && type === "m.reaction",
      );
      await raw(muc, "g4", reactionsElement(stanzaId(own)));
      await redacted(ann, room, reaction.eventId);
      await raw(muc, "g5", replyElements(stanzaId(own), `${muc}/alice`, "indeed"));
      const answer = await ann.waitForMessage(room, "the answer", ({ body }) => body === "indeed");
      expect(answers(answer)).toBe(first.eventId);

      const event = await ann.sendText(room, "hwo are you?");
      const shown = await seen(muc, "ann's text", ({ body }) => body === "hwo are you?");
      expect(shown.from).toBe(`${muc}/ann`);
      await ann.edit(room, event, "how are you?");
      const edit = await seen(muc, "her correction", ({ body }) => body === "how are you?");
      expect(edit.xml).toContain(`id="${shown.id ?? ""}"`);
      await ann.react(room, event, "🎉");
      const hers = await seen(muc, "her reaction", ({ xml }) => reactionsIn(xml) === "🎉");
      expect(hers.xml).toContain(`id="${stanzaId(shown)}"`);
      await ann.reply(room, first.eventId, "so do I");
      const reply = await seen(muc, "her answer", ({ body }) => body?.endsWith("so do I") === true);
      expect(reply.xml).toContain(`id="${stanzaId(own)}"`);
      await ann.redact(room, event);
      const gone = await seen(muc, "her retraction", ({ xml }) => xml.includes(NS.retraction));
      expect(gone.xml).toContain(`id="${stanzaId(shown)}"`);
      await raw(muc, "g6", `<retract xmlns="${NS.retraction}" id="${stanzaId(own)}"/><body>gone</body>`);
      await redacted(ann, room, first.eventId);

      const image = { name: "dot.png", bytes: new Uint8Array(PNG), mimeType: "image/png", width: 1, height: 1 };
      await ann.sendImage(room, image);
      const url = (await seen(muc, "the picture", ({ xml }) => xml.includes(NS.oob))).body ?? "";
      expect(Buffer.from(await (await fetch(url)).arrayBuffer()).equals(PNG)).toBe(true);
      await raw(muc, "g7", `<body>${url}</body><x xmlns="${NS.oob}"><url>${url}</url></x>`);
      const back = await ann.waitForMessage(
        room,
        "it again",
        ({ event: { content } }) => content["msgtype"] === "m.image",
      );
      expect(back.content).toMatchObject({ body: "dot.png", info: { size: PNG.length } });
    });

    it("is moderated from both sides", async () => {
      const [stage, ann] = [stageOf(), annOf()];
      const { room, muc } = await stage.throughGateway(ann, "order-gate", { [stage.ghostOf("alice")]: 50 });
      await stage.alice.join(muc, "alice");
      await stage.alice.sees(
        "that she is an admin",
        ({ name, from, xml }) => name === "presence" && from === `${muc}/alice` && xml.includes('affiliation="admin"'),
      );
      await raw(muc, "o1", "<body>buy now</body>");
      const spam = await ann.waitForMessage(room, "the spam", ({ body }) => body === "buy now");
      await ann.redact(room, spam.eventId, "spam");
      const moderation = await seen(muc, "the moderation", ({ xml }) => xml.includes(NS.moderation));
      expect(moderation.from).toBe(muc);

      const event = await ann.sendText(room, "buy mine");
      const shown = await seen(muc, "ann's text", ({ body }) => body === "buy mine");
      const moderate = `<moderate xmlns="${NS.moderation}" id="${stanzaId(shown)}"><retract xmlns="${NS.retraction}"/></moderate>`;
      expect(await stage.alice.query(muc, "set", moderate)).toContain('type="result"');
      await redacted(ann, room, event);

      await ann.kick(room, stage.ghostOf("alice"), "enough");
      await stage.alice.sees(
        "the kick",
        ({ type, from, xml }) =>
          type === "unavailable" && from === `${muc}/alice` && xml.includes('code="307"') && xml.includes("enough"),
      );
    });

    it("gives out of its archive what was said while the component was cut", async () => {
      const [stage, ann] = [stageOf(), annOf()];
      const { room, muc } = await stage.throughGateway(ann, "away-gate");
      await stage.alice.join(muc, "alice");
      await ann.sendText(room, "before");
      const last = await seen(muc, "what was said before", ({ body }) => body === "before");
      stage.wire.refuse();
      await ann.sendText(room, "meanwhile");
      stage.wire.admit();
      await stage.alice.sees(
        "that she is out",
        ({ type, from, xml }) => type === "unavailable" && from === `${muc}/alice` && xml.includes('code="333"'),
      );
      await stage.alice.join(muc, "alice");
      await ann.sendText(room, "after");
      await seen(muc, "what was said after", ({ body }) => body === "after");
      const before = stage.alice.seen.length;
      const after = `<set xmlns="http://jabber.org/protocol/rsm"><after>${stanzaId(last)}</after></set>`;
      const fin = await stage.alice.query(muc, "set", `<query xmlns="urn:xmpp:mam:2" queryid="cut">${after}</query>`);
      expect(fin).toContain('complete="true"');
      const results = stage.alice.seen.slice(before).filter(({ xml }) => xml.includes("urn:xmpp:mam:2"));
      expect(results.map(({ xml }) => /body>([^<]*)</.exec(xml)?.[1])).toEqual(["meanwhile", "after"]);
      await raw(muc, "a1", "<body>back again</body>");
      await ann.waitForMessage(room, "alice", ({ body }) => body === "back again");
    });
  });
}
