import { describe, expect, it } from "@jest/globals";
import { outcomeOf } from "../../dist/content/index.js";

const ts = "1700000000.000100";
const edited = { user: "U1", ts: "1700000008.000000" };
const section = (id: string, shown: string) => ({
  type: "section",
  text: { type: "mrkdwn", text: shown },
  block_id: id,
});

function keyOf(message: object, previous: object = {}, at = "1700000008.000100"): string {
  const common = { type: "message", user: "U1", ts, text: "hi" };
  const outcome = outcomeOf({
    type: "message",
    subtype: "message_changed",
    channel: "C1",
    ts: at,
    event_ts: at,
    message: { ...common, edited, ...message },
    previous_message: { ...common, text: "before", ...previous },
  });
  if (outcome.outcome !== "bridged" || outcome.what.kind !== "edit") throw new Error("This is no edit");
  return outcome.what.key;
}

describe("the key of an edit", () => {
  const once = keyOf({ blocks: [section("a", "x")] });

  it("is the same where the message says the same, whenever and wherever one comes to know of it", () => {
    const turned = { block_id: "b", text: { text: "x", type: "mrkdwn" }, type: "section", accessory: null };
    const attachments = [{ from_url: "https://example.org", title: "Example", id: 1 }];
    const more = { attachments, thread_ts: ts, reply_count: 1, reactions: [{ name: "eyes", users: ["U1"], count: 1 }] };
    expect(keyOf({ blocks: [turned], ...more }, {}, "1700000099.000100")).toBe(once);
  });

  it("is another one where the message says something else, though the second is the same", () => {
    const others = [
      keyOf({ blocks: [section("a", "y")] }),
      keyOf({ blocks: [section("a", "x"), section("b", "x")] }),
      keyOf({ blocks: [section("a", "x")], text: "ho" }),
      keyOf({ blocks: [section("a", "x")], attachments: [{ text: "more" }] }),
      keyOf({ blocks: [section("a", "x")], files: [{ id: "F1", mode: "hosted" }] }),
    ];
    expect(new Set([once, ...others]).size).toBe(6);
  });

  it("is another one where the message goes back to what it said before, within the second", () => {
    const again = (at: string): string => keyOf({ blocks: [section("a", "x")] }, { edited }, at);
    expect(new Set([once, again("1700000008.000100"), again("1700000008.000200")]).size).toBe(3);
    expect(again("1700000008.000100")).toBe(again("1700000008.000100"));
  });

  it("is that of the event where Slack does not say when", () => {
    expect(keyOf({ edited: {} })).toContain(`edit/${ts}/1700000008.000100/`);
  });
});
