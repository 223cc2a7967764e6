import { mapMentions, toMatrixHtml } from "@trestle/rich-text";
import { fitContent } from "../connector/fallback.js";
import type { EventId, RoomId } from "../connector/ids.js";
import type { ClientEvent } from "../matrix/answers.js";
import type { MatrixClient } from "../matrix/client.js";
import type { TextPage } from "../media/proxy.js";
import { contentOf } from "../bridge/content/from-matrix.js";

const style =
  "body{font:1rem/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}" +
  "pre{white-space:pre-wrap;font-size:.9rem}blockquote{border-left:.2rem solid #999;margin-left:0;padding-left:1rem}";

/** The page of an event, asked of the bots one after the other: one of them is in its room. */
export async function readTextPage(
  clients: Iterable<MatrixClient>,
  room: RoomId,
  event: EventId,
  signal: AbortSignal,
): Promise<TextPage> {
  let answer: TextPage = "gone";
  for (const client of clients) {
    const read = await client.getEvent(room, event, { signal });
    const page = read.ok && read.body ? textPageOf(read.body) : undefined;
    if (page !== undefined) return { html: page };
    if (!read.ok) answer = "unknown";
  }
  return answer;
}

/** What an event says as an HTML document; `undefined` where it says nothing. */
export function textPageOf({ type, content }: Pick<ClientEvent, "type" | "content">): string | undefined {
  const read = contentOf(type, content);
  if (read.kind !== "message" && read.kind !== "edit") return undefined;
  const [text] = fitContent(read.content);
  if (text?.type !== "text") return undefined;
  // A page is for people without Matrix: names are names, not links to profiles.
  const body = toMatrixHtml(mapMentions(text.body, (mention) => ({ type: "text", text: mention.text })));
  return (
    '<!doctype html>\n<html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">' +
    `<title>Message</title><style>${style}</style></head>\n<body>${body}</body></html>\n`
  );
}
