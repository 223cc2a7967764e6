import { describe, expect, it } from "@jest/globals";
import { toPlainText } from "@trestle/rich-text";
import { filePart, readFile } from "../../dist/content/index.js";
import { read } from "./support.js";

const png = {
  id: "F1",
  mode: "hosted",
  name: "cat.png",
  title: "A cat",
  mimetype: "image/png",
  filetype: "png",
  size: 1_234,
  original_w: 640,
  original_h: "480",
  alt_txt: "a cat &amp; a dog",
  url_private: "https://files.slack.com/files-pri/T1-F1/cat.png",
  url_private_download: "https://files.slack.com/files-pri/T1-F1/download/cat.png",
  permalink: "https://acme.slack.com/files/U1/F1/cat.png",
};
const part = (file: Readonly<Record<string, unknown>>, options = {}) => filePart(readFile(file), options);

describe("files of a message", () => {
  it("are none, one or several, in their order, also without a text", () => {
    expect(read({ subtype: "file_share", text: "x" }).files).toEqual([]);
    const several = read({ subtype: "file_share", text: "", files: [png, { ...png, id: "F2" }] });
    expect(several.files.map((file) => "id" in file && file.id)).toEqual(["F1", "F2"]);
    expect(several.body.blocks).toEqual([]);
    expect(read({ text: "x", file: png }).files).toHaveLength(1);
  });

  it("keep the text of the message as what is said about them", () => {
    expect(toPlainText(read({ text: "look *here*", files: [png] }).body)).toBe("look **here**");
  });

  it("are hosted, with all that is known", () => {
    expect(part(png)).toEqual({
      kind: "hosted",
      id: "F1",
      url: png.url_private_download,
      media: "image",
      name: "cat.png",
      mimeType: "image/png",
      size: 1_234,
      width: 640,
      height: 480,
      alt: "a cat & a dog",
      permalink: png.permalink,
    });
  });

  it.each([
    ["video/mp4", {}, "video"],
    ["audio/mpeg", {}, "audio"],
    ["audio/webm", { subtype: "slack_audio", duration_ms: 3_000 }, "voice"],
    ["video/mp4", { subtype: "slack_video" }, "video"],
    ["application/pdf", {}, "file"],
    ["image/svg+xml", {}, "file"],
  ])("of type %s %j are %s", (mimetype, more, media) => {
    expect(part({ ...png, mimetype, ...more })).toMatchObject({ kind: "hosted", media });
  });

  it("tell how long a voice message is", () => {
    expect(part({ ...png, mimetype: "audio/webm", subtype: "slack_audio", duration_ms: 3_000 })).toMatchObject({
      durationMs: 3_000,
    });
  });

  it("are text where they are snippets", () => {
    expect(part({ ...png, mode: "snippet", mimetype: "application/javascript", name: "a.js" })).toMatchObject({
      kind: "hosted",
      media: "file",
      mimeType: "text/plain",
    });
  });

  it("are links where they are elsewhere, or pages of Slack", () => {
    expect(
      part({
        ...png,
        mode: "external",
        is_external: true,
        url_private: "https://drive.example/x",
        url_private_download: undefined,
      }),
    ).toEqual({
      kind: "link",
      id: "F1",
      url: "https://drive.example/x",
      name: "cat.png",
    });
    expect(part({ ...png, mode: "external", external_url: "https://drive.example/y" })).toMatchObject({
      kind: "link",
      url: "https://drive.example/y",
    });
    for (const mode of ["post", "space", "canvas", "list"]) {
      expect(part({ ...png, mode })).toMatchObject({ kind: "link", url: png.permalink });
    }
  });

  it("are missing where they were deleted or are hidden, and say so", () => {
    expect(part({ id: "F1", mode: "tombstone" })).toEqual({
      kind: "missing",
      id: "F1",
      reason: "deleted",
      text: "file (deleted)",
    });
    expect(part({ ...png, mode: "hidden_by_limit" })).toMatchObject({ kind: "missing", reason: "hidden_by_limit" });
    expect(part({ ...png, file_access: "access_denied" })).toMatchObject({ kind: "missing", reason: "no_access" });
    expect(part({})).toMatchObject({ kind: "missing", reason: "not_told" });
  });

  it("must be asked for where the event does not tell enough, but only once", () => {
    const foreign = { id: "F1", mode: "file_access", file_access: "check_file_info" };
    expect(part(foreign)).toEqual({ kind: "askFileInfo", id: "F1", reason: "check_file_info" });
    expect(part(foreign, { final: true })).toMatchObject({ kind: "missing" });
    const late = { ...png, mimetype: "" };
    expect(part(late)).toEqual({ kind: "askFileInfo", id: "F1", reason: "no_mime_type" });
    expect(part(late, { final: true })).toMatchObject({ kind: "hosted", media: "file" });
    expect(part({ id: "F1", name: "x" })).toEqual({ kind: "askFileInfo", id: "F1", reason: "no_url" });
  });

  it("have a name without a path and without hidden characters", () => {
    const named = (name: unknown) => (part({ ...png, name, title: "t" }) as { name: string }).name;
    expect(named("../../etc/passwd")).toBe("passwd");
    expect(named("C:\\x\\y.txt")).toBe("y.txt");
    expect(named("a &amp; b.txt")).toBe("a & b.txt");
    expect(named("gpj.\u202eexe\u0000")).toBe("gpj.exe");
    expect(named("..")).toBe("file.png");
    expect(named("")).toBe("t");
    expect(named("x".repeat(999))).toHaveLength(200);
  });
});
