import { afterEach, describe, expect, it } from "@jest/globals";
import { RemoteMessageId } from "@trestle/core";
import fc from "fast-check";
import { readStanza, type XmlElement } from "../../dist/content/index.js";
import { readArchiveEnd, readDiscoInfo, readRoomInfo, type ArchiveEnd } from "../../dist/protocol/index.js";
import { escaped, Hall } from "./support/hall.js";

const CAROL = "carol@home.test/desk";

let hall: Hall;
afterEach(() => hall.close());

interface Page {
  readonly ids: readonly string[];
  readonly bodies: readonly (string | null | undefined)[];
  readonly end: ArchiveEnd;
}

/** One page of the archive; `undefined` where the query was refused. */
async function page(
  rsm: string,
  fields: Readonly<Record<string, string | readonly string[]>> = {},
  more = "",
): Promise<Page | undefined> {
  hall.forget();
  const field = (name: string, values: readonly string[]): string =>
    `<field var="${name}">${values.map((value) => `<value>${escaped(value)}</value>`).join("")}</field>`;
  const form = Object.entries({ FORM_TYPE: "urn:xmpp:mam:2", ...fields }).map(([name, value]) =>
    field(name, typeof value === "string" ? [value] : value),
  );
  const answer = await hall.asks(
    CAROL,
    "set",
    `<query xmlns="urn:xmpp:mam:2" queryid="q"><x xmlns="jabber:x:data" type="submit">${form.join("")}</x><set xmlns="http://jabber.org/protocol/rsm">${rsm}</set>${more}</query>`,
  );
  const fin = answer.getChild("fin", "urn:xmpp:mam:2");
  if (!fin) return undefined;
  const sent = hall.to(CAROL);
  const results = sent.flatMap((stanza) => stanza.getChild("result", "urn:xmpp:mam:2") ?? []);
  // The results come first, then their end.
  expect(sent.at(-1)).toBe(answer);
  expect(results.every(({ attrs }) => attrs["queryid"] === "q")).toBe(true);
  const messages = results.map((result) => result.getChild("forwarded")?.getChild("message", "jabber:client"));
  return {
    ids: results.map(({ attrs }) => attrs["id"] ?? ""),
    bodies: messages.map((message) => message?.getChildText("body")),
    end: readArchiveEnd(fin),
  };
}

const texts = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, number) => `t${from + number}`);

async function withTexts(count: number, options: ConstructorParameters<typeof Hall>[0] = {}): Promise<void> {
  hall = new Hall(options);
  for (let number = 0; number < count; number++)
    await hall.say(number % 3 === 0 ? "Alice" : "Bob", `t${number}`, `i${number}`);
  await hall.joins(CAROL, "Carol");
}

describe("the archive of a room", () => {
  it("gives all of it in order, however it is paged, forwards and backwards", async () => {
    await withTexts(45);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 50 }), fc.boolean(), async (max, isBackwards) => {
        const seen: (string | null | undefined)[] = [];
        let place = isBackwards ? "<before/>" : "";
        for (let pages = 0; pages < 60; pages++) {
          const read = await page(`<max>${max}</max>${place}`);
          if (!read) throw new Error("refused");
          expect(read.end.page?.count).toBe(45);
          if (isBackwards) seen.unshift(...read.bodies);
          else seen.push(...read.bodies);
          const { first = "", last = "" } = read.end.page ?? {};
          place = isBackwards ? `<before>${first}</before>` : `<after>${last}</after>`;
          if (read.end.complete) break;
        }
        expect(seen).toEqual(texts(0, 45));
      }),
      { numRuns: 12, seed: 7 },
    );
  });

  it("finds what is asked for", async () => {
    await withTexts(9);
    const bodies = async (...asked: Parameters<typeof page>) => (await page(...asked))?.bodies;
    expect(await bodies("", { with: `${hall.channel}/Alice` })).toEqual(["t0", "t3", "t6"]);
    expect(await bodies("", { with: "alice_example.org@matrix.test" })).toEqual(["t0", "t3", "t6"]);
    expect(await bodies("", { "after-id": "i2", "before-id": "i5" })).toEqual(["t3", "t4"]);
    expect(await bodies("<max>1</max>", { "after-id": "i2", "before-id": "i5" })).toEqual(["t3"]);
    expect(await bodies("", { ids: ["i1", "i7"] })).toEqual(["t1", "t7"]);
    expect(await bodies("", { start: "2999-01-01T00:00:00Z" })).toEqual([]);
    expect(await bodies("", { end: "2999-01-01T00:00:00Z" })).toEqual(texts(0, 9));
    expect(await bodies("<max>3</max><before/>", {}, "<flip-page/>")).toEqual(["t8", "t7", "t6"]);
    const none = await page("<max>0</max>");
    expect([none?.bodies, none?.end.page?.count]).toEqual([[], 9]);
    expect((await page("<max>2</max><after>i4</after>"))?.end.page).toMatchObject({
      first: "i5",
      firstIndex: 5,
      last: "i6",
    });
  });

  it("refuses what it does not know, and tells its form and its ends", async () => {
    await withTexts(3);
    expect(await page("<after>nothing</after>")).toBeUndefined();
    expect(hall.error(CAROL)).toBe("item-not-found");
    expect(await page("", { "{other}field": "x" })).toBeUndefined();
    expect(hall.error(CAROL)).toBe("feature-not-implemented");
    expect(await page("", { ids: ["i1", "gone"] })).toBeUndefined();
    expect(hall.error(CAROL)).toBe("item-not-found");
    expect(await page("", { start: "yesterday" })).toBeUndefined();
    expect(hall.error(CAROL)).toBe("bad-request");
    const form = (await hall.asks(CAROL, "get", '<query xmlns="urn:xmpp:mam:2"/>')).getChild("query")?.getChild("x");
    const names = form?.getChildren("field").map(({ attrs }) => attrs["var"]);
    expect(names).toEqual(["FORM_TYPE", "with", "start", "end", "before-id", "after-id", "ids"]);
    const metadata = (await hall.asks(CAROL, "get", '<metadata xmlns="urn:xmpp:mam:2"/>')).getChild("metadata");
    expect([metadata?.getChild("start")?.attrs["id"], metadata?.getChild("end")?.attrs["id"]]).toEqual(["i0", "i2"]);
  });

  it("keeps the ids that were shown, also after a crash, and what the people of XMPP said", async () => {
    await withTexts(1);
    await hall.says(CAROL, "mine");
    const shown = hall.to(CAROL).at(-1)?.getChild("stanza-id")?.attrs["id"];
    const before = await page("");
    expect(before?.ids).toEqual(["i0", shown]);
    await hall.crash();
    await hall.joins(CAROL, "Carol");
    expect(await page("")).toEqual(before);
  });

  it("has a tombstone where something was taken back", async () => {
    await withTexts(2);
    await hall.handlers.redact?.({ ...hall.effect("Bob"), target: [RemoteMessageId("i1")] });
    const read = await page("");
    expect(read?.bodies.slice(0, 2)).toEqual(["t0", undefined].map((body) => body ?? null));
    const retracted = hall.to(CAROL)[1]?.getChild("result")?.getChild("forwarded")?.getChild("message");
    expect(retracted?.getChild("retracted", "urn:xmpp:message-retract:1")?.attrs["id"]).toBe("i1");
    expect(hall.stream.sent.some((stanza) => stanza.toString().includes("t1"))).toBe(false);
  });

  it("keeps no more than it is told to", async () => {
    await withTexts(600, { gateway: { archive: 100 } });
    const read = await page("<max>1</max>");
    expect(read?.end.page?.count).toBeLessThan(360);
    const last = await page("<max>100</max><before/>");
    expect(last?.bodies).toEqual(texts(500, 600));
  });
});

describe("a room", () => {
  it("tells what it is and can do, and who is in it", async () => {
    await withTexts(0);
    const answer = await hall.asks(CAROL, "get", '<query xmlns="http://jabber.org/protocol/disco#info"/>');
    const info = readDiscoInfo(query(answer));
    // A client joins what says that it is a conference, and nothing else.
    expect(info.identities).toEqual([{ category: "conference", type: "text", name: "Trestle" }]);
    expect(info.features).toContain("http://jabber.org/protocol/muc");
    expect(readRoomInfo(info)).toMatchObject({
      name: "Trestle",
      subject: "Bridges",
      occupants: 3,
      isMembersOnly: false,
      isNonAnonymous: true,
      isPersistent: true,
      hasArchive: true,
      hasOccupantIds: true,
      hasStableIds: true,
      moderation: ["now", "before"],
    });
    const items = query(await hall.asks(CAROL, "get", '<query xmlns="http://jabber.org/protocol/disco#items"/>'));
    expect(items.getChildren("item").map(({ attrs }) => attrs["name"])).toEqual(["Alice", "Bob", "Carol"]);
    const card = await hall.asks(CAROL, "get", '<vCard xmlns="vcard-temp"/>');
    expect(card.getChild("vCard")?.getChildText("FN")).toBe("Trestle");
    await hall.asks(CAROL, "get", '<query xmlns="http://jabber.org/protocol/muc#owner"/>');
    expect(hall.error(CAROL)).toBe("not-allowed");
    await hall.asks(CAROL, "get", '<query xmlns="urn:of:nobody"/>');
    expect(hall.error(CAROL)).toBe("service-unavailable");
  });

  it("that is not for all is hidden from those outside, with its archive", async () => {
    await withTexts(2);
    hall.view = { ...hall.view, joinRule: "invite" };
    const eve = "eve@home.test/a";
    for (const asked of ["http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/disco#items"])
      expect(readStanza(await hall.asks(eve, "get", `<query xmlns="${asked}"/>`))).toMatchObject({
        what: { kind: "error", error: { condition: "item-not-found" } },
      });
    await hall.asks(eve, "set", '<query xmlns="urn:xmpp:mam:2"/>');
    expect(hall.to(eve).filter(({ name }) => name === "message")).toEqual([]);
  });

  it("is listed by the domain where it is for all", async () => {
    await withTexts(0);
    await hall.takes(
      `<iq type="get" id="1" from="${CAROL}" to="matrix.test"><query xmlns="http://jabber.org/protocol/disco#items"/></iq>`,
    );
    expect(query(hall.to(CAROL).at(-1)).getChild("item")?.attrs).toEqual({ jid: hall.channel, name: "Trestle" });
    hall.view = { ...hall.view, joinRule: "invite" };
    await hall.joins("eve@home.test/a", "Eve");
    await hall.takes(
      `<iq type="get" id="2" from="${CAROL}" to="matrix.test"><query xmlns="http://jabber.org/protocol/disco#items"/></iq>`,
    );
    expect(query(hall.to(CAROL).at(-1)).getChildren("item")).toEqual([]);
  });
});

function query(answer: XmlElement | undefined): XmlElement {
  const found = answer?.getChild("query");
  if (!found) throw new Error(`No answer: ${String(answer)}`);
  return found;
}
