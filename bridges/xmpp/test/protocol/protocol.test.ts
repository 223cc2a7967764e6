import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { element, parseXml, readStanza, type IqWhat, type XmlElement } from "../../dist/content/index.js";
import {
  archiveMetadata,
  archiveResult,
  avatarId,
  bitsIn,
  capsElement,
  capsHash,
  flagIn,
  largestUpload,
  pubsubAnswer,
  pubsubEvent,
  pubsubPublish,
  pubsubRequest,
  readAvatarData,
  readAvatarMetadata,
  readForm,
  readUploadSlot,
  readVCard,
  uploadRequest,
  valueIn,
  writeArchiveEnd,
  writeArchiveQuery,
  writeAvatarData,
  writeAvatarMetadata,
  writeBits,
  writeCommandRequest,
  writeCommandResponse,
  writeDiscoInfo,
  writeDiscoItems,
  writeForm,
  writeGatewayPrompt,
  writeMucAdmin,
  writeRegistration,
  writeSearch,
  writeVCard,
  type DataForm,
  type DiscoInfo,
} from "../../dist/protocol/index.js";
import { hostileText } from "../content/arbitrary.js";
import { xml } from "../content/support.js";

const seed = 20261122;

/** What a payload means on the other side. */
function iq(payload: XmlElement, type: "get" | "set" | "result" = "result"): IqWhat {
  const read = readStanza(xml(element("iq", { type, id: "1", from: "a@b" }, payload).toString()));
  if (read.stanza !== "iq") throw new Error("no IQ");
  return read.what;
}

const line = hostileText.map((text) => text.replace(/[^\x20-\x7e]/g, ""));
const name = fc.stringMatching(/^[a-z#_]{1,12}$/).filter((text) => text !== "FORM_TYPE");
const field = fc.record(
  {
    name,
    type: fc.constantFrom("text-single" as const, "list-multi" as const, "boolean" as const),
    label: line.filter((text) => text !== ""),
    required: fc.constant(true),
    values: fc.array(line, { maxLength: 3 }),
    options: fc.array(fc.record({ label: line.filter((text) => text !== ""), value: line }), {
      minLength: 1,
      maxLength: 2,
    }),
  },
  { requiredKeys: ["name", "values"] },
);
const form: fc.Arbitrary<DataForm> = fc.record(
  {
    type: fc.constantFrom("form" as const, "submit" as const, "result" as const),
    formType: name,
    title: line.map((text) => `t${text}`.trim()),
    instructions: fc.array(line, { minLength: 1, maxLength: 2 }),
    fields: fc.array(field, { maxLength: 4 }),
    reported: fc.array(field, { minLength: 1, maxLength: 2 }),
    items: fc.array(fc.array(field, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: ["type", "fields"] },
);

describe("forms (XEP-0004)", () => {
  it("are read as they were written", () => {
    fc.assert(
      fc.property(form, (given) => {
        expect(readForm(xml(writeForm(given).toString()))).toEqual(given);
      }),
      { seed, numRuns: 1_000 },
    );
  });

  it("give their values by name", () => {
    const given: DataForm = {
      type: "submit",
      fields: [
        { name: "a", values: ["", "x"] },
        { name: "b", values: ["1"] },
        { name: "c", values: ["false"] },
        { name: "d", values: ["x", "y"] },
      ],
    };
    expect([valueIn(given, "a"), valueIn(given, "d"), valueIn(given, "e")]).toEqual([undefined, "x", undefined]);
    expect(["a", "b", "c", "d"].map((field) => flagIn(given, field))).toEqual([undefined, true, false, undefined]);
  });
});

describe("discovery (XEP-0030, XEP-0115)", () => {
  const exodus: DiscoInfo = {
    identities: [{ category: "client", type: "pc", name: "Exodus 0.9.1" }],
    features: [
      "http://jabber.org/protocol/caps",
      "http://jabber.org/protocol/disco#info",
      "http://jabber.org/protocol/disco#items",
      "http://jabber.org/protocol/muc",
    ],
    forms: [],
  };

  it("tells what something is and what is there", () => {
    expect(iq(writeDiscoInfo({ ...exodus, node: "n" }))).toEqual({ kind: "discoInfo", info: { ...exodus, node: "n" } });
    const items = {
      items: [
        { jid: "a@b", name: "A & B" },
        { jid: "c@d", node: "n" },
      ],
      page: { first: "1", last: "2", count: 9, firstIndex: 0 },
    };
    expect(iq(writeDiscoItems(items))).toEqual({ kind: "discoItems", items });
  });

  it("has the hashes of XEP-0115 §5.2 and §5.3", () => {
    expect(capsHash(exodus)).toBe("QgayPKawpkPSDYmwT/WM94uAlu0=");
    const psi: DiscoInfo = {
      identities: [
        { category: "client", type: "pc", name: "Psi 0.11", language: "en" },
        { category: "client", type: "pc", name: "Ψ 0.11", language: "el" },
      ],
      features: exodus.features,
      forms: [
        {
          type: "result",
          formType: "urn:xmpp:dataforms:softwareinfo",
          fields: [
            { name: "ip_version", values: ["ipv4", "ipv6"] },
            { name: "os", values: ["Mac"] },
            { name: "os_version", values: ["10.5.1"] },
            { name: "software", values: ["Psi"] },
            { name: "software_version", values: ["0.11"] },
          ],
        },
      ],
    };
    expect(capsHash(psi)).toBe("q07IKJEyjvHSyhy//CH0CxmKi8w=");
    expect(capsElement("https://x.example", "v").attrs).toMatchObject({
      hash: "sha-1",
      node: "https://x.example",
      ver: "v",
    });
  });
});

describe("archives (XEP-0313, XEP-0059)", () => {
  it("are asked for a part", () => {
    const query = {
      queryId: "q",
      with: "a@b",
      start: 1031699305000,
      end: 1031699305999,
      afterId: "1",
      beforeId: "9",
      ids: ["x", "y"],
      page: { max: 50, after: "1" },
      flipped: true,
    } as const;
    expect(iq(writeArchiveQuery(query), "set")).toEqual({ kind: "archiveQuery", query });
    expect(iq(writeArchiveQuery({ page: { max: 0, before: "" } }), "set")).toEqual({
      kind: "archiveQuery",
      query: { page: { max: 0, before: "" } },
    });
    expect(iq(writeArchiveQuery({}), "get")).toEqual({ kind: "archiveForm" });
  });

  it("refuse what they do not understand", () => {
    const asked = (fields: DataForm["fields"]) =>
      iq(element("query", { xmlns: "urn:xmpp:mam:2" }, writeForm({ type: "submit", fields })), "set");
    expect(asked([{ name: "start", values: ["yesterday"] }]).kind).toBe("invalid");
    expect(asked([{ name: "mood", values: ["good"] }])).toEqual({ kind: "archiveQuery", query: { unknown: ["mood"] } });
  });

  it("say where a part ends", () => {
    const end = {
      queryId: "q",
      complete: true,
      stable: false,
      page: { first: "1", last: "2", firstIndex: 3, count: 9 },
    };
    expect(iq(writeArchiveEnd(end))).toEqual({ kind: "archiveEnd", end });
    expect(iq(writeArchiveEnd({ complete: false, stable: true }))).toEqual({
      kind: "archiveEnd",
      end: { complete: false, stable: true, page: {} },
    });
    expect(iq(archiveMetadata()).kind).toBe("archiveMetadata");
    expect(archiveMetadata({ first: { id: "1", at: 0 }, last: { id: "2", at: 1 } }).getChild("start")?.attrs).toEqual({
      id: "1",
      timestamp: "1970-01-01T00:00:00.000Z",
    });
  });

  it("give messages that came by whatever stream", () => {
    const stream = xml(
      "<stream xmlns='jabber:component:accept'><message type='groupchat' from='room@bridge.example/ann' id='m'><body>hi</body><x xmlns='jabber:x:oob'/></message></stream>",
    );
    const held = stream.getChild("message");
    if (held === undefined) throw new Error("no message");
    const result = archiveResult({ queryId: "q", id: "a1", at: 1031699305000, message: held });
    const outer = element("message", { from: "room@bridge.example", to: "bob@example.org/x" }, result);
    expect(outer.toString()).toContain(
      '<message type="groupchat" from="room@bridge.example/ann" id="m" xmlns="jabber:client"><body>hi</body><x xmlns="jabber:x:oob"/></message>',
    );
    expect(readStanza(xml(outer.toString()))).toMatchObject({
      what: {
        kind: "archived",
        queryId: "q",
        id: "a1",
        message: { ids: { stanzaId: "a1" }, delay: { at: 1031699305000 }, what: { kind: "text" } },
      },
    });
  });
});

describe("commands (XEP-0050)", () => {
  it("go from step to step", () => {
    const request = {
      node: "link",
      sessionId: "s",
      action: "next",
      form: { type: "submit", fields: [{ name: "a", values: ["1"] }] },
    } as const;
    expect(iq(writeCommandRequest(request), "set")).toEqual({ kind: "command", request });
    const response = {
      node: "link",
      sessionId: "s",
      status: "executing",
      actions: ["prev", "complete"],
      execute: "complete",
      notes: [{ type: "warn", text: "mind & the <gap>" }],
    } as const;
    expect(iq(writeCommandResponse(response))).toEqual({ kind: "commandResponse", response });
  });

  it("execute where nothing is said, and are refused where what is said does not exist", () => {
    const command = (attributes: Record<string, string>) =>
      iq(element("command", { xmlns: "http://jabber.org/protocol/commands", ...attributes }), "set");
    expect(command({ node: "link" })).toEqual({ kind: "command", request: { node: "link", action: "execute" } });
    expect(command({ node: "link", action: "explode" }).kind).toBe("invalid");
    expect(command({}).kind).toBe("invalid");
  });
});

describe("registration, search and the prompt (XEP-0077, XEP-0055, XEP-0100)", () => {
  it("are read as they were written", () => {
    const registration = {
      instructions: "fill in",
      registered: true,
      remove: false,
      fields: { username: "ann", password: "" },
      url: "https://x.example/",
    };
    expect(iq(writeRegistration(registration))).toEqual({ kind: "register", registration });
    expect(iq(writeRegistration({ remove: true }), "set")).toEqual({
      kind: "register",
      registration: { registered: false, remove: true, fields: {} },
    });
    expect(writeRegistration({ fields: { evil: "x" } }).children).toEqual([]);
    const search = { instructions: "who", fields: { nick: "ann", first: "" }, items: [{ jid: "a@b", nick: "Ann" }] };
    expect(iq(writeSearch(search))).toEqual({ kind: "search", search });
    const prompt = { description: "Enter a Matrix id", prompt: "@ann:example.org" };
    expect(iq(writeGatewayPrompt(prompt), "get")).toEqual({ kind: "gatewayPrompt", prompt });
  });
});

describe("people (XEP-0054, XEP-0153, XEP-0084)", () => {
  const data = Buffer.from("picture");

  it("have cards", () => {
    const card = {
      fullName: "Ann <A>",
      nickname: "ann",
      description: "x",
      birthday: "2000-01-01",
      url: "https://x.example",
      email: "a@b",
      phone: "1",
      organisation: "O",
      title: "T",
      jid: "a@b",
      photo: { from: "data", mimeType: "image/png", data },
    } as const;
    expect(iq(writeVCard(card))).toEqual({ kind: "vcard", card });
    expect(readVCard(writeVCard({}))).toEqual({});
    expect(readVCard(writeVCard({ photo: { from: "url", url: "https://x.example/p.png" } }))).toEqual({
      photo: { from: "url", url: "https://x.example/p.png" },
    });
  });

  it("have pictures in them only where these are some", () => {
    const photo = (inside: string) =>
      readVCard(xml(`<vCard xmlns='vcard-temp'><PHOTO>${inside}</PHOTO></vCard>`)).photo;
    expect(photo(`<TYPE>text/html</TYPE><BINVAL>\n ${data.toString("base64")} \n</BINVAL>`)).toEqual({
      from: "data",
      data,
    });
    expect(photo("<BINVAL>no base64!</BINVAL>")).toBeUndefined();
    expect(photo("<BINVAL/>")).toBeUndefined();
  });

  it("have avatars", () => {
    const avatar = { id: avatarId(data), bytes: data.length, mimeType: "image/png", width: 64, height: 64 };
    expect(readAvatarMetadata(xml(writeAvatarMetadata(avatar).toString()))).toEqual([avatar]);
    expect(readAvatarMetadata(xml(writeAvatarMetadata().toString()))).toEqual([]);
    expect(readAvatarData(xml(writeAvatarData(data).toString()), avatar.id)).toEqual(data);
    const [first] = readAvatarMetadata(
      xml(
        `<metadata xmlns='urn:xmpp:avatar:metadata'><info id='${avatar.id}' url='https://x.example/a'/><info id='${avatar.id}'/><info id='x'/></metadata>`,
      ),
    );
    expect(first).toEqual({ id: avatar.id });
  });

  it("send small pictures within stanzas (XEP-0231)", () => {
    const bits = { cid: "sha1+8f@bob.xmpp.org", mimeType: "image/png", maxAge: 60, data };
    expect(iq(writeBits(bits))).toEqual({ kind: "bits", bits });
    expect(bitsIn(xml(element("message", {}, writeBits(bits)).toString()))).toEqual([bits]);
    expect(iq(writeBits({ cid: bits.cid }), "get")).toEqual({ kind: "bits", bits: { cid: bits.cid } });
    expect(iq(element("data", { xmlns: "urn:xmpp:bob" }), "get").kind).toBe("invalid");
  });

  it("publish what they have", () => {
    const item = { id: "1", payload: element("x", { xmlns: "urn:example" }, "y") };
    expect(iq(pubsubPublish("n", item, { open: true }), "set")).toMatchObject({
      kind: "pubsub",
      items: { action: "publish", node: "n", items: [{ id: "1" }] },
    });
    expect(iq(pubsubRequest("n", { ids: ["1"], max: 1 }), "get")).toEqual({
      kind: "pubsub",
      items: { action: "items", node: "n", maxItems: 1, items: [{ id: "1" }] },
    });
    expect(iq(pubsubAnswer("n", [{ id: "1", payload: element("x") }]))).toMatchObject({
      kind: "pubsub",
      items: { items: [{ id: "1" }] },
    });
    const told = readStanza(
      xml(
        element(
          "message",
          { from: "a@b" },
          pubsubEvent("n", { id: "1", payload: element("x", { xmlns: "urn:example" }) }),
        ).toString(),
      ),
    );
    expect(told).toMatchObject({ what: { kind: "published", node: "n", items: [{ id: "1" }], retracted: [] } });
  });
});

describe("rooms and uploads (XEP-0045, XEP-0363)", () => {
  it("kick and ban", () => {
    const items = [
      { nick: "it's <x>", role: "none", reason: "spam" },
      { jid: "a@b", affiliation: "outcast" },
    ] as const;
    expect(iq(writeMucAdmin(items), "set")).toEqual({ kind: "mucAdmin", items });
  });

  it("give places for files", () => {
    const slot = (put: string, get: string, headers = "") =>
      iq(xml(`<slot xmlns='urn:xmpp:http:upload:0'><put url='${put}'>${headers}</put><get url='${get}'/></slot>`));
    expect(
      slot(
        "https://x.example/p",
        "https://x.example/g",
        "<header name='Authorization'>a\nX-Evil: b</header><header name='Host'>evil</header>",
      ),
    ).toEqual({
      kind: "uploadSlot",
      slot: { put: "https://x.example/p", get: "https://x.example/g", headers: { Authorization: "aX-Evil: b" } },
    });
    expect(slot("file:///etc/passwd", "https://x.example/g").kind).toBe("invalid");
    expect(readUploadSlot(element("slot"))).toBeUndefined();
    expect(uploadRequest({ name: "a <b>.png", size: 12, mimeType: "image/png" }).attrs).toMatchObject({
      filename: "a <b>.png",
      size: "12",
      "content-type": "image/png",
    });
    const refused = xml(
      "<iq type='error'><error type='modify'><file-too-large xmlns='urn:xmpp:http:upload:0'><max-file-size>20000</max-file-size></file-too-large></error></iq>",
    );
    expect(largestUpload(refused)).toBe(20_000);
  });
});

describe("IQs that are none", () => {
  it.each([
    ["<iq id='1'><ping xmlns='urn:xmpp:ping'/></iq>", "invalid"],
    ["<iq type='get'><ping xmlns='urn:xmpp:ping'/></iq>", "invalid"],
    ["<iq type='get' id='1'/>", "invalid"],
    ["<iq type='set' id='1'><a xmlns='x'/><b xmlns='x'/></iq>", "invalid"],
    ["<iq type='result' id='1'/>", "empty"],
    ["<iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>", "ping"],
    ["<iq type='get' id='1'><ping xmlns='urn:other'/></iq>", "unknown"],
    ["<iq type='error' id='1'/>", "error"],
  ])("%s: %s", (text, kind) =>
    expect(parseXml(text) && readStanza(xml(text))).toMatchObject({ stanza: "iq", what: { kind } }),
  );
});
