import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { textContent } from "@trestle/core";
import { parseMatrixHtml } from "@trestle/rich-text";
import { z } from "zod";
import {
  element,
  readMessage,
  writeDirectInvite,
  writeMarker,
  writeMediatedInvite,
  writeReactions,
  writeReceipt,
  writeRetraction,
  writeSaid,
  type Envelope,
  type XmlElement,
} from "../../dist/content/index.js";
import { archiveResult, writeForm } from "../../dist/protocol/index.js";
import { htmlOf, xml } from "./support.js";
import { patiently } from "../../../../test/support/bounded.js";

const python = "/usr/bin/python3";
const hasSlixmpp = spawnSync(python, ["-c", "import slixmpp"]).status === 0;
if (!hasSlixmpp) process.stdout.write("skipped: slixmpp as a reader of stanzas, for python3-slixmpp is absent\n");
const withSlixmpp = hasSlixmpp ? describe : describe.skip;

const chat: Envelope = { from: "ann@bridge.example/m", to: "bob@example.org", type: "chat", id: "m1" };
const url = "https://example.org/a.png";
const ours: Readonly<Record<string, XmlElement>> = {
  said: writeSaid(chat, textContent("answer <&>"), {
    reply: { id: "r1", author: "bob@example.org/x", name: "Bøb 😀", excerpt: "one" },
    replaces: "first",
    thread: { id: "t" },
    wantsReceipt: true,
  }),
  reactions: writeReactions(chat, "t", ["🎉", "👍"]),
  retraction: writeRetraction(chat, "t", { old: true }),
  receipt: writeReceipt(chat, "t"),
  marker: writeMarker(chat, "t"),
  file: writeSaid(chat, { type: "media", kind: "image", name: "a.png", source: { from: "url", url } }, { url }),
  direct: writeDirectInvite(chat, { room: "room@muc.example.org", reason: "come" }),
  mediated: writeMediatedInvite({ ...chat, type: "normal" }, { by: "ann@example.org", reason: "come" }),
  xhtml: writeSaid(chat, { type: "text", style: "text", body: parseMatrixHtml("<b>x</b>") }, { xhtml: true }),
  form: element(
    "message",
    {},
    writeForm({ type: "form", formType: "x", title: "T", fields: [{ name: "a", values: ["1"] }] }),
  ),
  archived: element(
    "message",
    {},
    archiveResult({ queryId: "q", id: "a1", at: 0, message: writeSaid(chat, textContent("old")) }),
  ),
};

const answer = z.object({ read: z.record(z.string(), z.unknown()), written: z.record(z.string(), z.string()) });

withSlixmpp("slixmpp, which others wrote", () => {
  let read: z.infer<typeof answer>["read"] = {};
  let written: z.infer<typeof answer>["written"] = {};

  beforeAll(() => {
    const inClient = (stanza: XmlElement): string =>
      element("message", { ...stanza.attrs, xmlns: "jabber:client" }, ...stanza.children).toString();
    const input = JSON.stringify(
      Object.fromEntries(Object.entries(ours).map(([name, stanza]) => [name, inClient(xml(stanza.toString()))])),
    );
    const script = fileURLToPath(new URL("slixmpp_stanzas.py", import.meta.url));
    const { stdout, stderr, status } = spawnSync(python, [script], {
      input,
      encoding: "utf8",
      timeout: patiently(60_000),
      env: { ...process.env, PYTHONIOENCODING: "utf-8" },
    });
    if (status !== 0) throw new Error(`slixmpp failed: ${stderr}`);
    ({ read, written } = answer.parse(JSON.parse(stdout)));
  });

  it("understands what the bridge writes", () => {
    expect(read).toEqual({
      said: {
        body: "> Bøb 😀: one\nanswer <&>",
        replace: "first",
        reply: ["r1", "bob@example.org/x"],
        thread: "t",
        receipt: true,
        state: "active",
        origin: "m1",
      },
      reactions: ["t", ["🎉", "👍"]],
      retraction: ["t", "urn:xmpp:message-retract:0"],
      receipt: "t",
      marker: "t",
      file: [url, url],
      direct: ["room@muc.example.org", "come"],
      mediated: ["ann@example.org", "come"],
      xhtml: "<p><strong>x</strong></p>",
      form: ["T", ["FORM_TYPE", "a"]],
      archived: ["a1", "q", "old"],
    });
  });

  it("is understood", () => {
    const whatOf = (name: string) => readMessage(xml(written[name] ?? "")).what;
    expect(whatOf("reply")).toMatchObject({
      kind: "text",
      replyTo: { id: "r1", author: "bob@example.org/x" },
      contents: [textContent("answer")],
    });
    expect(whatOf("correction")).toMatchObject({
      kind: "correction",
      target: "first",
      contents: [textContent("better")],
    });
    expect(whatOf("reactions")).toEqual({ kind: "reactions", target: "t", keys: ["👍"] });
    expect(whatOf("retraction")).toEqual({ kind: "retraction", target: "t" });
    expect(whatOf("receipt")).toEqual({ kind: "receipt", target: "t" });
    expect(whatOf("marker")).toEqual({ kind: "marker", marker: "displayed", target: "t" });
    expect(whatOf("state")).toEqual({ kind: "chatState", state: "composing" });
    expect(whatOf("file")).toMatchObject({ contents: [{ type: "media", kind: "image", source: { url } }] });
    expect(whatOf("invite")).toMatchObject({
      kind: "invite",
      how: "direct",
      room: "room@muc.example.org",
      reason: "come",
    });
    expect(htmlOf(readMessage(xml(written["html"] ?? "")))).toBe("a <strong>bold</strong> word");
  });
});
