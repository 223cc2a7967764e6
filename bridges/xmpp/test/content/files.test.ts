import { describe, expect, it } from "@jest/globals";
import { textContent } from "@trestle/core";
import { toMatrixHtml } from "@trestle/rich-text";
import { html, message, whatOf } from "./support.js";

const fromAnn = "type='chat' from='ann@example.org/phone' to='us@bridge.example' id='m1'";

describe("files", () => {
  const url = "https://up.example.org/a/My%20cat.JPG";
  const oob = (address: string): string => `<x xmlns='jabber:x:oob'><url>${address}</url></x>`;
  const sfs = (file: string, target = url): string =>
    `<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'>${file}</file><sources><url-data xmlns='http://jabber.org/protocol/url-data' target='${target}'/></sources></file-sharing>`;
  const contents = (children: string) => whatOf("text", message(fromAnn, children)).contents;

  it("are what their address says, where nothing else is known", () => {
    expect(contents(`<body>${url}</body>${oob(url)}`)).toEqual([
      { type: "media", kind: "image", name: "My cat.JPG", source: { from: "url", url } },
    ]);
    expect(contents(oob("https://x.example/voice.opus"))).toMatchObject([{ kind: "audio" }]);
    expect(contents(oob("https://x.example/"))).toMatchObject([{ kind: "file", name: "file" }]);
  });

  it("are what their metadata say", () => {
    const file =
      "<media-type>video/webm</media-type><name>../../etc/x.webm</name><size>99</size><width>4</width><height>3</height><length>1500</length><desc>our *cat*</desc>";
    expect(contents(`<body>${url}</body>${sfs(file)}${oob(url)}`)).toEqual([
      {
        type: "media",
        kind: "video",
        name: "x.webm",
        source: { from: "url", url },
        mimeType: "video/webm",
        size: 99,
        width: 4,
        height: 3,
        durationMs: 1500,
        caption: textContent("our *cat*").body,
      },
    ]);
  });

  it("may be several, with the text as the caption of the first", () => {
    const read = contents(
      `<body>look</body>${sfs("<name>a.png</name>", "https://x.example/a.png")}${sfs("<name>b.png</name>", "https://x.example/b.png")}`,
    );
    expect(read).toMatchObject([{ name: "a.png", caption: textContent("look").body }, { name: "b.png" }]);
  });

  it("are stickers with XEP-0449", () => {
    const read = contents(
      `<body>😺</body><sticker xmlns='urn:xmpp:stickers:0' pack='p'/>${sfs("<media-type>image/png</media-type>")}<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:stickers:0'><body/></fallback>`,
    );
    expect(read).toMatchObject([{ kind: "sticker" }]);
    expect(read[0]).not.toHaveProperty("caption");
  });

  it("come with SIMS too, once", () => {
    const sims = `<reference xmlns='urn:xmpp:reference:0' type='data'><media-sharing xmlns='urn:xmpp:sims:1'><file xmlns='urn:xmpp:jingle:apps:file-transfer:5'><media-type>image/jpeg</media-type><name>s.jpg</name></file><sources><reference xmlns='urn:xmpp:reference:0' type='data' uri='${url}'/></sources></media-sharing></reference>`;
    expect(contents(`<body>${url}</body>${sims}${oob(url)}`)).toMatchObject([{ name: "s.jpg", kind: "image" }]);
  });

  it("are links where an address comes with a text and need not be a file", () => {
    const [read] = contents(`<body>news</body>${oob("https://news.example/article")}`);
    expect(read?.type === "text" && toMatrixHtml(read.body)).toBe(
      '<p>news</p><p><a href="https://news.example/article">https://news.example/article</a></p>',
    );
    expect(html(`<body>see https://news.example/a</body>${oob("https://news.example/a")}`)).toBe(
      "see https://news.example/a",
    );
  });

  it.each([
    "javascript:alert(1)",
    "file:///etc/passwd",
    "ftp://x.example/a",
    "http://",
    "https://u:p@x.example/a.png",
    "aesgcm://x.example/a#00",
    "//x.example/a",
  ])("are none at %s", (address) => expect(html(`<body>x</body>${oob(address)}${sfs("", address)}`)).toBe("x"));

  it("that have no address yet are waited for", () => {
    expect(
      message(
        fromAnn,
        "<file-sharing xmlns='urn:xmpp:sfs:0'><file xmlns='urn:xmpp:file:metadata:0'><name>x</name></file></file-sharing>",
      ).what.kind,
    ).toBe("ignored");
  });

  it("are a place with geo:", () => {
    expect(contents("<body>geo:51.5,-0.12;u=10</body>")).toEqual([
      { type: "location", latitude: 51.5, longitude: -0.12 },
    ]);
    expect(html("<body>geo:99,0</body>")).toBe("geo:99,0");
  });
});
