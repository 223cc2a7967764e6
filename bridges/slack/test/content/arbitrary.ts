import fc from "fast-check";
import type { Block, Inline, RichText } from "@trestle/rich-text";

/** Letters, and whatever means something to Slack or to HTML. */
export const hostileText = fc
  .array(
    fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 6 }),
      fc.string({ unit: "binary", maxLength: 4 }),
      fc.constantFrom(
        ..."* _ ~ ` ``` < > | & &amp; &lt; &gt; &amp;lt; : :+1: ::skin-tone-3: :wave: \n > &gt;&gt;&gt; @ ! # ^ \\ [ ] ( ) ](".split(
          " ",
        ),
        ...[
          "<@U1>",
          "<@U1|x>",
          "<#C1>",
          "<!here>",
          "<!channel|x>",
          "<!subteam^S1|@x>",
          "<!date^1700000000^{date_num}|x>",
        ],
        ...[
          "<https://example.org|x>",
          "<javascript:x|y>",
          "https://example.org",
          "\u200b",
          "\u2060",
          "\n",
          " ",
          "a",
          "1",
          "👨‍👩‍👧",
          "\ud800",
          "\0",
        ],
        ...["<script>", "</b>", "<img src=x>", '"', "'", "@room", "```js\n", "# ", "- ", "1. "],
      ),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

const types = [
  ..."rich_text rich_text_section rich_text_list rich_text_quote rich_text_preformatted text link user channel".split(
    " ",
  ),
  ..."usergroup team broadcast emoji color date message header divider section context image markdown table".split(" "),
  ..."data_table video file actions input alert card carousel container plan task_card context_actions call".split(" "),
  ..."share_shortcut button mrkdwn plain_text raw_text raw_number overflow checkboxes static_select hologram".split(
    " ",
  ),
];

const fields = [
  ..."type text elements style border indent offset url user_id channel_id usergroup_id team_id range name unicode".split(
    " ",
  ),
  ..."skin_tone value timestamp format fallback title subtitle body fields accessory rows caption element label hint".split(
    " ",
  ),
  ..."tasks sources status details output child_blocks rich_text_title level image_url alt_text slack_file blocks".split(
    " ",
  ),
  ..."attachments files subtype ts thread_ts channel user bot_id bot_profile username icons edited message".split(" "),
  ..."previous_message deleted_ts item reaction mrkdwn mrkdwn_in is_share is_msg_unfurl from_url author_name".split(
    " ",
  ),
  ..."pretext footer message_blocks mode file_access mimetype size id event room options initial_option call v1".split(
    " ",
  ),
  "__proto__",
  "constructor",
];

const leaf = fc.oneof(
  hostileText,
  fc.constantFrom("U1", "C1", "1700000000.000100", "message", "message_changed", "ordered", "bullet", "partyparrot"),
  fc.constantFrom(...types),
  fc.constantFrom(null, true, false, 0, 1, -1, 1e300, 1700000000, Number.MAX_SAFE_INTEGER),
);

/** JSON made of Slack's own words in any order: nearly right, and wrong in every place. */
export const slackJson: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown; record: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    leaf,
    tie("record"),
    fc.array(tie("value"), { maxLength: 4 }),
  ),
  record: fc
    .tuple(
      fc.option(fc.constantFrom(...types), { nil: undefined }),
      fc.dictionary(fc.constantFrom(...fields), tie("value"), { maxKeys: 7, noNullPrototype: true }),
    )
    .map(([type, rest]) => (type === undefined ? rest : { ...rest, type })),
})).value;

/** A message whose parts are such JSON. */
export const slackMessage = fc.record({
  type: fc.constant("message"),
  text: hostileText,
  blocks: fc.array(slackJson, { maxLength: 3 }),
  attachments: fc.array(slackJson, { maxLength: 2 }),
  files: fc.array(slackJson, { maxLength: 2 }),
});

/** Text that is the same in Slack and in the tree: no URL, no control character, no space at an edge. */
const carriedText = fc
  .array(
    fc.oneof(
      fc.string({
        unit: fc.constantFrom(..."abz09.,!?*_~`<>&:@#|()[]{}'\"-+=/\\äß中".split("")),
        minLength: 1,
        maxLength: 6,
      }),
      fc.constantFrom("👍", "👨‍👩‍👧", "<!channel>", "<@U1>", "&lt;", ":wave:", "@room", "*b*"),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((parts) => parts.join(" "));

const textNode = carriedText.map((text): Inline => ({ type: "text", text }));
const special = fc.oneof(
  carriedText.map((text): Inline => ({ type: "code", text })),
  fc.constantFrom<Inline>(
    { type: "mention", target: { kind: "remoteUser", id: "U1" }, text: "Ann" },
    { type: "mention", target: { kind: "remoteChannel", id: "C1" }, text: "#general" },
    { type: "mention", target: { kind: "everyone" }, text: "@room" },
    { type: "emoji", name: "partyparrot", url: "mxc://example.org/parrot" },
  ),
  fc
    .constantFrom("https://example.org/a?b=c&d", "mailto:a@example.org")
    .chain((href) => carriedText.map((text): Inline => ({ type: "link", href, children: [{ type: "text", text }] }))),
);
const styled = (children: fc.Arbitrary<Inline>): fc.Arbitrary<Inline> =>
  fc.record({
    type: fc.constantFrom("bold" as const, "italic" as const, "strike" as const, "underline" as const),
    children: children.map((child) => [child]),
  });
const inline = fc.oneof(textNode, special, styled(fc.oneof(textNode, special)), styled(styled(textNode)));

/** Lines: what stands beside each other is set apart by text, for Slack joins neighbours of one look. */
const inlines = fc
  .array(fc.tuple(inline, fc.boolean()), { minLength: 1, maxLength: 5 })
  .map((parts) =>
    parts.flatMap(([part, breaks], index): Inline[] =>
      index === 0 ? [part] : [breaks ? { type: "break" } : { type: "text", text: " x " }, part],
    ),
  );
const paragraph = inlines.map((children): Block => ({ type: "paragraph", children }));
const code = fc
  .array(carriedText, { minLength: 1, maxLength: 3 })
  .map((lines): Block => ({ type: "codeBlock", text: lines.join("\n  ") }));

function list(depth: number): fc.Arbitrary<Block> {
  const inside =
    depth === 0 ? fc.constant([]) : fc.option(list(depth - 1)).map((nested) => (nested === null ? [] : [nested]));
  return fc
    .tuple(fc.constantFrom(undefined, 1, 5), fc.array(fc.tuple(paragraph, inside), { minLength: 1, maxLength: 3 }))
    .map(([start, items]): Block => ({
      type: "list",
      ordered: start !== undefined,
      ...(start === 5 ? { start } : {}),
      items: items.map(([first, rest]) => ({ blocks: [first, ...rest] })),
    }));
}

const quote = fc.tuple(paragraph, fc.option(code), fc.option(paragraph)).map(([first, middle, last]): Block => ({
  type: "quote",
  blocks: [first, ...(middle === null ? [] : [middle, ...(last === null ? [] : [last])])],
}));

/** Trees that Slack can carry as they are: neighbours of one kind, which Slack joins, are left out. */
export const carriedTree: fc.Arbitrary<RichText> = fc
  .array(fc.oneof(paragraph, code, list(2), quote, fc.constant<Block>({ type: "rule" })), {
    minLength: 1,
    maxLength: 5,
  })
  .map((blocks) => ({ blocks: blocks.filter(({ type }, index) => index === 0 || type !== blocks[index - 1]?.type) }));
