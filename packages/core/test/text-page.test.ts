import { describe, expect, it } from "@jest/globals";
import { textPageOf } from "../dist/fleet/text-page.js";

describe("the page of a message", () => {
  it("holds its text and formatting, and nothing that could run or load", () => {
    const page = textPageOf({
      type: "m.room.message",
      content: {
        msgtype: "m.text",
        body: "x",
        format: "org.matrix.custom.html",
        formatted_body:
          'one <b>two</b><script>alert(1)</script><img src="x" onerror="alert(2)"><pre><code>a &lt; b</code></pre>' +
          '<a href="javascript:alert(3)">bad</a> <a href="https://matrix.to/#/@bob:example.org">Bob</a>',
      },
    })!;
    expect(page).toContain("one <strong>two</strong>");
    expect(page).toContain("a &lt; b");
    expect(page).toContain("Bob");
    expect(page).not.toMatch(/<script|onerror|javascript:|matrix\.to/);
  });

  it("of an edit is the new text, and of a file its name", () => {
    const edit = {
      msgtype: "m.text",
      body: "* new",
      "m.new_content": { msgtype: "m.text", body: "new" },
      "m.relates_to": { rel_type: "m.replace", event_id: "$old" },
    };
    expect(textPageOf({ type: "m.room.message", content: edit })).toContain("<body>new</body>");
    const file = { msgtype: "m.file", body: "notes.txt", url: "mxc://example.org/notes" };
    expect(textPageOf({ type: "m.room.message", content: file })).toContain("notes.txt (file)");
  });

  it("of what says nothing is none", () => {
    expect(textPageOf({ type: "m.room.message", content: {} })).toBeUndefined();
    expect(textPageOf({ type: "m.room.encrypted", content: { ciphertext: "x" } })).toBeUndefined();
  });
});
