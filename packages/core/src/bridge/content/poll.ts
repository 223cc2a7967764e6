import { normalise, richTextOf, toPlainText, type RichText } from "@trestle/rich-text";
import { firstIn, isRecord, listIn, recordIn, stringIn, wholeIn, type JsonRecord } from "./guards.js";

/** Polls (specification draft MSC3381, under its unstable and its stable names) as text that any network can show. */
export type PollPart = "start" | "response" | "end";

export function pollPartOf(type: string): PollPart | undefined {
  const part = /^(?:m|org\.matrix\.msc3381)\.poll\.(start|response|end)$/.exec(type)?.[1];
  return part === "start" || part === "response" || part === "end" ? part : undefined;
}

/** As many answers as the draft allows. */
const mostAnswers = 20;
/** What is repeated of a question or an answer beside a vote, in UTF-16 units. */
const longestRepeated = 200;

/** A poll, as far as votes need it. */
export interface Poll {
  readonly question: string;
  /** The answers by their ids. */
  readonly answers: ReadonlyMap<string, string>;
  /** Whether everybody may see who voted for what before the poll has ended. */
  readonly disclosed: boolean;
  readonly mostSelections: number;
}

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
  const poll = startOf(content);
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

function startOf(content: JsonRecord): JsonRecord {
  const poll = firstIn(content, "m.poll", "org.matrix.msc3381.poll.start", "m.poll.start");
  return isRecord(poll) ? poll : {};
}

/** Reads the event that began a poll; `undefined` for any other event. */
export function pollOf(type: string, content: unknown): Poll | undefined {
  const poll = pollPartOf(type) === "start" && isRecord(content) ? startOf(content) : {};
  const question = extensibleText(recordIn(poll, "question"));
  if (question === undefined) return undefined;
  const answers = new Map<string, string>();
  for (const answer of listIn(poll, "answers").slice(0, mostAnswers)) {
    if (!isRecord(answer)) continue;
    const id = firstIn(answer, "m.id", "id");
    const text = extensibleText(answer);
    if (typeof id === "string" && text !== undefined && !answers.has(id)) answers.set(id, repeated(text));
  }
  // A kind that is not known counts as undisclosed.
  const disclosed = /^(?:m|org\.matrix\.msc3381\.poll)\.disclosed$/.test(stringIn(poll, "kind") ?? "");
  const mostSelections = Math.max(1, wholeIn(poll, "max_selections") ?? 1);
  return { question: repeated(question), answers, disclosed, mostSelections };
}

/** The text of a vote or of the end of a poll that is known. */
export function textInPoll(part: "response" | "end", poll: Poll, content: JsonRecord): RichText {
  const named = `the poll “${poll.question}”`;
  if (part === "end")
    return normalise(richTextOf(`Poll “${poll.question}”: ${extensibleText(content) ?? "it has ended."}`));
  const chosen = selectionsOf(content, poll);
  if (chosen.length === 0) return normalise(richTextOf(`took back their vote in ${named}`));
  if (!poll.disclosed) return normalise(richTextOf(`voted in ${named}`));
  return normalise(richTextOf(`voted for ${chosen.map((answer) => `“${answer}”`).join(", ")} in ${named}`));
}

/** The answers that count: known ones, each once, and no more than the poll allows. */
function selectionsOf(content: JsonRecord, poll: Poll): readonly string[] {
  const stable = listIn(content, "m.selections");
  const ids = stable.length > 0 ? stable : listIn(recordIn(content, "org.matrix.msc3381.poll.response"), "answers");
  const counted = [...new Set(ids.slice(0, poll.mostSelections))];
  return counted
    .map((id) => (typeof id === "string" ? poll.answers.get(id) : undefined))
    .filter((answer) => answer !== undefined);
}

function repeated(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length <= longestRepeated ? line : `${line.slice(0, longestRepeated - 1).toWellFormed()}…`;
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
