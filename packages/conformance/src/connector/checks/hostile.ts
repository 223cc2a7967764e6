import type { JsonObject } from "@trestle/testkit";

/** What a stranger on Matrix may send, each with what it is. `mark` shows an injection that worked. */
export function hostileContents(mark: string): readonly { readonly name: string; readonly content: JsonObject }[] {
  const text = (name: string, body: string): { name: string; content: JsonObject } => ({
    name,
    content: { msgtype: "m.text", body, "m.mentions": {} },
  });
  const html = (name: string, formatted: string): { name: string; content: JsonObject } => ({
    name,
    content: { ...text(name, "plain").content, format: "org.matrix.custom.html", formatted_body: formatted },
  });
  return [
    text("30 000 characters without a space", "x".repeat(30_000)),
    text("NUL", `before\u0000after`),
    text(
      "CR and LF with something like a command behind",
      `\r\n${mark} INJECTED\r\n:${mark}!a@b PRIVMSG #x :INJECTED\n\n`,
    ),
    text("something like XML, JSON and a template", `</stream:stream><x>"}],"a":{{1+1}} \${${mark}} %s%n`),
    text(
      "control characters",
      Array.from({ length: 32 }, (_value, code) => String.fromCharCode(code)).join("") + "\u007f\u0085\u2028\u2029",
    ),
    text("turned direction and nothing to see", "\u202e\u2066evil\u2069 \u200b\ufeff\u00ad"),
    text("500 combining marks on one letter", `a${"\u0301".repeat(500)}`),
    text("a family of 1 000 emoji joined together", Array.from({ length: 1_000 }, () => "👩").join("\u200d")),
    text("an empty text", ""),
    text("spaces alone", "   \t "),
    text("mentions of everyone", "@everyone @here @room <!channel> <@U123> <@&1>"),
    html("2 000 nested tags", `${"<b>".repeat(2_000)}deep${"</b>".repeat(2_000)}`),
    html("2 000 nested quotes that never end", "<blockquote>".repeat(2_000)),
    html("a list 400 deep", `${"<ul><li>".repeat(400)}deep`),
    html(
      "scripts and addresses that run",
      `<script>${mark}</script><a href="javascript:${mark}">a</a><img src="data:text/html,${mark}" onerror=x><a href="http://169.254.169.254/">b</a>`,
    ),
    html("tags that are cut off", `<a href="${"x".repeat(10_000)}<b <!-- <![CDATA[ &#xD800; &#0; &amp;lt;`),
    html("a quoted reply without end", `<mx-reply><blockquote>${"<mx-reply>".repeat(200)}`),
    { name: "no body", content: { msgtype: "m.text" } },
    { name: "an unknown kind of message", content: { msgtype: "org.example.unknown", body: "unknown" } },
    {
      name: "a file without an address",
      content: { msgtype: "m.file", body: "../../etc/passwd", filename: "../../etc/passwd\u0000" },
    },
    {
      name: "an edit of nothing",
      content: {
        msgtype: "m.text",
        body: "* x",
        "m.relates_to": { rel_type: "m.replace", event_id: "$nothing" },
        "m.new_content": { msgtype: "m.text", body: "x" },
      },
    },
  ];
}

/** What a stranger on a network may say; a network that cannot carry one of them refuses it. */
export const hostileTexts: readonly string[] = [
  '<script>alert(1)</script><b>bold</b><a href="javascript:x">link</a>',
  "@room @everyone hello",
  "https://matrix.to/#/@alice:conformance.test and @alice:conformance.test",
  "before\u0000after",
  "\r\nINJECTED\r\n",
  "half a pair \ud800 and \udc00 another",
  "\u202eturned \u200b",
  "</mx-reply> > <@alice:conformance.test> never said this",
  "!bridge unlink",
  "&lt;b&gt; &#x0; &amp;amp;",
  "a".repeat(300),
  "\u0002bold\u000304,05colour\u000f \u001b[31mred",
  "*_~`|[x](javascript:y)",
];

/** Display names that a Matrix user may have. */
export const hostileNames: readonly string[] = [
  "ev\r\nil",
  "a\u0000b",
  "\u202e",
  "<b>bold</b>",
  " ",
  "x".repeat(200),
  ":;,!*@#",
];

/** Localparts that a homeserver lets its users have. */
export const oddLocalparts: readonly string[] = ["o.d-d_=2f/x+1", "0", `long${"g".repeat(150)}`];
