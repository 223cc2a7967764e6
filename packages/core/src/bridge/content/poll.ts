import { normalise, richTextOf, toPlainText, type RichText } from "@trestle/rich-text";
import { firstIn, isRecord, listIn, recordIn, stringIn, type JsonRecord } from "./guards.js";

/** Polls (specification draft MSC3381, under its unstable and its stable names) as text that any network can show. */
export type PollPart = "start" | "response" | "end";

export function pollPartOf(type: string): PollPart | undefined {
  const part = /^(?:m|org\.matrix\.msc3381)\.poll\.(start|response|end)$/.exec(type)?.[1];
  return part === "start" || part === "response" || part === "end" ? part : undefined;
}

/** As many answers as the draft allows. */
const mostAnswers = 20;

/** The text of a poll event; `undefined` where it is malformed. */
export function pollText(part: PollPart, content: JsonRecord): RichText | undefined {
  switch (part) {
    case "start":
      return startText(content);
    case "response":
      return normalise(richTextOf("voted in the poll"));
    case "end":
      return normalise(richTextOf(extensibleText(content) ?? "The poll has ended."));
  }
}

function startText(content: JsonRecord): RichText | undefined {
  const poll = firstIn(content, "m.poll", "org.matrix.msc3381.poll.start", "m.poll.start");
  if (!isRecord(poll)) return undefined;
  const question = extensibleText(recordIn(poll, "question"));
  if (question === undefined) return undefined;
  const answers = listIn(poll, "answers")
    .slice(0, mostAnswers)
    .map((answer) => (isRecord(answer) ? extensibleText(answer) : undefined))
    .filter((answer) => answer !== undefined);
  return normalise({
    blocks: [
      ...richTextOf(`Poll: ${question}`).blocks,
      { type: "list", ordered: true, items: answers.map((answer) => richTextOf(answer)) },
    ],
  });
}

/** The plain text of an extensible event or a part of one (MSC1767, in each of its spellings); `undefined` for none. */
function extensibleText(content: JsonRecord): string | undefined {
  const text = firstIn(content, "m.text", "org.matrix.msc1767.text", "body");
  const found = typeof text === "string" ? text : Array.isArray(text) ? firstPlain(text) : undefined;
  const shown = found === undefined ? "" : toPlainText(richTextOf(found)).trim();
  return shown === "" ? undefined : shown;
}

function firstPlain(representations: readonly unknown[]): string | undefined {
  for (const each of representations.slice(0, 10)) {
    if (!isRecord(each)) continue;
    const type = stringIn(each, "mimetype") ?? "text/plain";
    const body = stringIn(each, "body");
    if (type === "text/plain" && body !== undefined) return body;
  }
  return undefined;
}
