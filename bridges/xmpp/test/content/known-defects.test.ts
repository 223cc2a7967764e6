import { describe, expect, it } from "@jest/globals";
import { textContent } from "@trestle/core";
import { parseMatrixHtml, parsePlainText } from "@trestle/rich-text";
import {
  element,
  mucUser,
  parseXml,
  readPresence,
  readStanza,
  writePresence,
  writeReactions,
  writeSaid,
  writeSubject,
  writeXhtml,
  type Envelope,
  type SaidOptions,
} from "../../dist/content/index.js";
import { attributeOf } from "../../dist/content/xml.js";
import { capsHash, readAvatarData, readDiscoInfo, writeAvatarData, writeDiscoInfo } from "../../dist/protocol/index.js";
import { html, message, whatOf, xml } from "./support.js";

const chat: Envelope = { from: "ann@bridge.example", to: "bob@example.org", type: "chat", id: "m1" };
const injection = `x</body></message><message from='admin@example.org' to='bob@example.org'><body>pay "eve" & 'co'`;
const written = (html: string, options: SaidOptions = {}) =>
  writeSaid(chat, { type: "text", style: "text", body: parseMatrixHtml(html) }, { xhtml: true, ...options });

/** The one element that a stream with this text in it carries. */
const onlyStanza = (text: string) => {
  const stream = parseXml(`<stream>${text}</stream>`);
  expect(stream?.children.length).toBe(1);
  return xml(text);
};

/** What other bridges and libraries are known to get wrong: none of it is to be wrong here. */
describe("a defect that others have", () => {
  it("bifrost: HTML of a Matrix user put into the stream as it is, so that it ends the stanza and begins another", () => {
    for (const html of [
      `<p>${injection}</p>`,
      injection,
      `<b title="'/><message/>">x</b>`,
      `<a href="https://x/'/></message>">x</a>`,
    ]) {
      const stanza = written(html);
      expect(onlyStanza(stanza.toString()).toString()).toBe(stanza.toString());
    }
    const plain = writeSaid(chat, textContent(injection)).toString();
    expect(whatOf("text", message("type='chat'", xml(plain).children.map(String).join(""))).contents).toEqual([
      textContent(injection),
    ]);
  });

  it("bifrost: the id of a correction written without being escaped", () => {
    const stanza = onlyStanza(
      written("better", { replaces: `'/></message><message to="bob@example.org">` }).toString(),
    );
    expect(stanza.getChild("replace")?.attrs["id"]).toBe(`'/></message><message to="bob@example.org">`);
  });

  it("bifrost: the real JID of an occupant written without being escaped", () => {
    const jid = "ann@example.org/it's <x>&\"";
    const presence = writePresence({
      from: "room@bridge.example/ann",
      extra: [mucUser({ items: [{ jid, nick: jid, reason: injection }], statuses: [] })],
    });
    expect(readPresence(onlyStanza(presence.toString())).what).toMatchObject({
      item: { jid, nick: jid, reason: injection },
    });
  });

  it("bifrost, xmpp.js: a control character in a message, for which every server ends the component's stream", () => {
    for (const character of ["\u0000", "\u0001", "\u000b", "\u001f", "\ufffe", "\uffff", "\ud800", "\udc00"]) {
      const text = `a${character}b`;
      const options = {
        replaces: text,
        reply: { id: text, author: text, name: text, excerpt: text },
        thread: { id: text },
      };
      const stanzas = [
        writeSaid(chat, textContent(text), options),
        writeSubject(chat, text),
        writeReactions(chat, text, [`👍${character}`]),
        writePresence({ status: text }),
      ];
      for (const stanza of stanzas) {
        expect(stanza.toString().includes(character)).toBe(false);
        onlyStanza(stanza.toString());
      }
    }
  });

  it("bifrost: XHTML with the text of scripts, with `</br>`, and with `mxc:` pictures", () => {
    const stanza = written(
      'a<script>alert(1)</script><br>b</br><img src="mxc://example.org/secret" alt="cat">',
    ).toString();
    expect(stanza).not.toMatch(/alert|<\/br>|mxc:/);
    onlyStanza(stanza);
  });

  it("bifrost #292: XHTML without its body", () => {
    const xhtml = writeXhtml(parseMatrixHtml("<b>x</b>"));
    expect(xhtml.getChild("body", "http://www.w3.org/1999/xhtml")?.getChild("p")?.getChildText("strong")).toBe("x");
  });

  it("bifrost: every message that refers to another one sent as a correction of it, threads too", () => {
    const stanza = written("in a thread", { thread: { id: "t" }, reply: { id: "r", name: "Bob" } });
    expect(stanza.getChild("replace")).toBeUndefined();
    expect(readStanza(stanza)).toMatchObject({ what: { kind: "text", thread: { id: "t" }, replyTo: { id: "r" } } });
  });

  it("bifrost #154: a second edit that refers to the first edit, which nobody knows as a message", () => {
    const edits = ["second", "third"].map((text) => written(text, { replaces: "first" }));
    for (const edit of edits) expect(readStanza(edit)).toMatchObject({ what: { kind: "correction", target: "first" } });
  });

  it("bifrost: `active` taken for a read receipt, and the real markers ignored", () => {
    const active = "<active xmlns='http://jabber.org/protocol/chatstates'/>";
    expect(message("type='chat'", active).what).toEqual({ kind: "chatState", state: "active" });
    expect(message("type='chat'", `${active}<displayed xmlns='urn:xmpp:chat-markers:0' id='m'/>`).what).toMatchObject({
      kind: "marker",
      target: "m",
    });
  });

  it("bifrost: an id made of the sender and the text, so that a second `ok` is lost", () => {
    expect(message("from='ann@example.org/x'", "<body>ok</body>").ids).toEqual({});
  });

  it("bifrost: bounces that nobody looks at", () => {
    const bounce = message(
      "type='error' from='room@muc.example.org' id='m1'",
      "<body>x</body><error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>",
    );
    expect(bounce).toMatchObject({
      ids: { id: "m1" },
      what: { kind: "error", error: { condition: "not-acceptable" } },
    });
  });

  it("bifrost: bans and kicks taken for somebody leaving, and new nicks for somebody else (#219)", () => {
    const gone = (children: string) =>
      readPresence(
        xml(`<presence type='unavailable'><x xmlns='http://jabber.org/protocol/muc#user'>${children}</x></presence>`),
      ).what;
    expect(
      gone("<item affiliation='outcast' role='none'><reason>spam</reason></item><status code='301'/>"),
    ).toMatchObject({ how: "banned", item: { reason: "spam" } });
    expect(gone("<item role='none'/><status code='307'/>")).toMatchObject({ how: "kicked" });
    expect(gone("<item nick='new'/><status code='303'/>")).toMatchObject({ how: "nick", newNick: "new" });
  });

  it("bifrost: addresses of `mxc:` or of nothing sent to people who cannot fetch them", () => {
    const file = {
      type: "media",
      kind: "image",
      name: "cat.png",
      source: { from: "remote", reference: "mxc://example.org/x" },
    } as const;
    expect(writeSaid(chat, file).getChildText("body")).toBe("cat.png (image)");
  });

  it("bifrost: any address that somebody names fetched, whatever its scheme", () => {
    for (const url of [
      "file:///etc/passwd",
      "gopher://127.0.0.1/",
      "https://user:secret@127.0.0.1/",
      "data:text/html,x",
    ])
      expect(html(`<body>${url}</body><x xmlns='jabber:x:oob'><url>${url}</url></x>`)).toBe(url);
  });

  it("aria-net: only the first version of retraction and moderation understood; slixmpp 1.8: only it sent", () => {
    const old = "<apply-to xmlns='urn:xmpp:fasten:0' id='t'><retract xmlns='urn:xmpp:message-retract:0'/></apply-to>";
    const now = "<retract xmlns='urn:xmpp:message-retract:1' id='t'/>";
    for (const children of [old, now])
      expect(message("type='chat'", children).what).toEqual({ kind: "retraction", target: "t" });
  });

  it("aria-net, bifrost: replies as text alone", () => {
    expect(
      html(
        "<body>&gt; q\nanswer</body><reply xmlns='urn:xmpp:reply:0' id='r'/><fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='4'/></fallback>",
      ),
    ).toBe("answer");
  });

  it("matterbridge, ejabberd #4445: files as links", () => {
    const url = "https://up.example.org/cat.png";
    expect(
      whatOf("text", message("type='chat'", `<body>${url}</body><x xmlns='jabber:x:oob'><url>${url}</url></x>`))
        .contents,
    ).toMatchObject([{ type: "media", kind: "image" }]);
  });

  it("fluux-messenger #475: corrections and reactions with a body for clients that know none", () => {
    expect(written("better", { replaces: "first" }).getChildText("body")).toBe("better");
    expect(writeReactions(chat, "t", ["👍"]).getChild("body")).toBeUndefined();
  });

  it("many clients: carbons and moderation believed from anybody", () => {
    const account = { account: "me@example.org" };
    const carbon =
      "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client' from='boss@example.org'><body>x</body></message></forwarded></received>";
    expect(message("from='eve@example.org'", carbon, account).what.kind).toBe("forged");
    const moderated =
      "<retract xmlns='urn:xmpp:message-retract:1' id='t'><moderated xmlns='urn:xmpp:message-moderate:1'/></retract>";
    expect(message("type='groupchat' from='room@muc.example.org/eve'", moderated).what.kind).toBe("forged");
  });

  it("many clients: ids that somebody else put into a message taken for the room's", () => {
    const forged = "<body>x</body><stanza-id xmlns='urn:xmpp:sid:0' by='room@muc.example.org' id='x'/>";
    expect(message("type='chat' from='eve@example.org/x'", forged).ids).toEqual({});
    expect(message("type='groupchat' from='other@muc.example.org/eve'", forged).ids).toEqual({});
  });

  it("ltx: an unknown entity, a control character or absurd depth ends the process", () => {
    expect(parseXml("<message><body>&foo;</body></message>")).toBeUndefined();
    expect(parseXml("<message><body>&#0;</body></message>")).toBeUndefined();
    expect(parseXml("<a>".repeat(20_000) + "</a>".repeat(20_000))).toBeUndefined();
  });

  it("ltx: names of attributes that every object has", () => {
    const stanza = xml(
      "<message __proto__='x' constructor='y' toString='z' type='chat'><body __proto__='x'>hello</body></message>",
    );
    expect(readStanza(stanza)).toMatchObject({ type: "chat", what: { kind: "text" } });
    for (const name of ["constructor", "toString", "hasOwnProperty", "__proto__"])
      expect(attributeOf(xml("<message/>"), name)).toBeUndefined();
  });

  it("clients with XEP-0393: letters of a text taken for styles", () => {
    expect(
      writeSaid(chat, { type: "text", style: "text", body: parsePlainText("*a* > b") }).getChild(
        "unstyled",
        "urn:xmpp:styling:0",
      ),
    ).toBeDefined();
  });

  it("caps (XEP-0115 §8.1): information with something in it twice, so that its hash is that of something else", () => {
    const info = readDiscoInfo(
      xml(
        "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' type='pc'/><identity category='client' type='pc'/></query>",
      ),
    );
    expect(capsHash(info)).toBeUndefined();
  });

  it("bifrost: one answer for everything that is asked what it is", () => {
    const info = {
      identities: [{ category: "conference", type: "text", name: "A & B" }],
      features: ["http://jabber.org/protocol/muc"],
      forms: [
        {
          type: "result",
          formType: "http://jabber.org/protocol/muc#roominfo",
          fields: [{ name: "muc#roominfo_occupants", values: ["3"] }],
        },
      ],
    } as const;
    expect(readDiscoInfo(xml(writeDiscoInfo(info).toString()))).toEqual(info);
  });

  it("avatars: bytes that are not those of the announced hash", () => {
    const data = xml(writeAvatarData(Buffer.from("picture")).toString());
    expect(readAvatarData(data, "0".repeat(40))).toBeUndefined();
    expect(readAvatarData(element("data", {}, "no base64!"), "0".repeat(40))).toBeUndefined();
  });
});
