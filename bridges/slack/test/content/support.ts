import { toMatrix, toMatrixHtml, toPlainText, type RichText } from "@trestle/rich-text";
import {
  readContent,
  readMessage,
  type ReadMessage,
  type ReadOptions,
  type SlackNames,
} from "../../dist/content/index.js";

/** A workspace in which a few things are known. */
export const names: Partial<SlackNames> = {
  user: (id) =>
    ({
      U1: { name: "Ann", target: { kind: "matrixUser", userId: "@_slack_ann:example.org" } as const },
      W1: { name: "Grid", target: { kind: "matrixUser", userId: "@_slack_grid:example.org" } as const },
      U2: { name: "Gone" },
      UPUPPET: { name: "Puppet", target: { kind: "matrixUser", userId: "@puppet:example.org" } as const },
    })[id],
  channel: (id) =>
    ({
      C1: { name: "general", target: { kind: "matrixRoom", roomIdOrAlias: "#general:example.org" } as const },
      C2: { name: "elsewhere" },
    })[id],
  usergroup: (id) =>
    id === "S1"
      ? { name: "admins" }
      : id === "S2"
        ? {
            name: "ops",
            members: [{ name: "Ann", target: { kind: "matrixUser", userId: "@_slack_ann:example.org" } }],
          }
        : undefined,
  team: (id) => (id === "T1" ? "Acme" : undefined),
  emoji: (name) =>
    ({
      partyparrot: { image: "mxc://example.org/parrot" },
      fresh: {},
      thumbs: { alias: "+1" },
      "30": { image: "mxc://example.org/thirty" },
    })[name],
  message: ({ channel, ts }) =>
    channel === "C1" && ts === "1700000000.000100"
      ? { kind: "matrixRoom", roomIdOrAlias: "!general:example.org", eventId: "$event" }
      : undefined,
  image: (url) => (url === "https://example.org/cat.png" ? "mxc://example.org/cat" : undefined),
};

/** Reads a message given as Slack gives it. */
export function read(message: unknown, options: ReadOptions = {}): ReadMessage {
  return readContent(readMessage(message), { names, ...options });
}

/** The HTML of a message of mrkdwn. */
export function mrkdwn(text: string, options: ReadOptions = {}): string {
  return toMatrixHtml(read({ text }, options).body);
}

/** The HTML of a message of blocks. */
export function blocks(...given: readonly unknown[]): string {
  return toMatrixHtml(read({ blocks: given }).body);
}

/** The HTML of a rich text section. */
export function section(...elements: readonly unknown[]): string {
  return blocks({ type: "rich_text", elements: [{ type: "rich_text_section", elements }] });
}

/** The HTML of a message with an attachment. */
export function attachment(given: Readonly<Record<string, unknown>>, options: ReadOptions = {}): string {
  return toMatrixHtml(read({ text: "", attachments: [given] }, options).body);
}

const tag =
  /<(?:\/(?:p|h[1-6]|strong|em|u|del|code|pre|blockquote|ul|ol|li|a|span)|p|h[1-6]|strong|em|u|del|pre|blockquote|ul|li|br|hr|code(?: class="language-[A-Za-z0-9_+#.-]+")?|ol(?: start="-?\d+")?|a href="[a-z]+:[^"<>\s]+"|span(?: data-mx-spoiler(?:="[^"<>]*")?| data-mx-color="#[0-9a-f]{6}"| data-mx-bg-color="#[0-9a-f]{6}")+|img(?: data-mx-emoticon)? src="mxc:\/\/[^"<>\s]+" alt="[^"<>]*"(?: title="[^"<>]*" height="32")?)>/g;

/** What is wrong with a text for Matrix: markup that the specification does not allow, leaked values, or nothing to see. */
export function faults(body: RichText): string[] {
  const html = toMatrix(body).formattedBody ?? "";
  const bare = html.replace(tag, "");
  const plain = toPlainText(body);
  return [
    ...(/[<>"']/.test(bare) ? [`markup left over: ${bare}`] : []),
    ...(bare.replace(/&(?:amp|lt|gt|quot|nbsp|#39|#9);/g, "").includes("&") ? [`a bare ampersand: ${bare}`] : []),
    ...(/javascript:|data:/i.test(html.match(/href="[^"]*"/g)?.join() ?? "") ? ["a forbidden scheme"] : []),
    ...(/\bundefined\b|\[object |\bNaN\b/.test(plain) ? [`leaked: ${plain}`] : []),
    ...(plain.trim() === "" ? ["nothing to see"] : []),
  ];
}
