import { RemoteMessageId, type TextContent, UserId } from "@trestle/core";
import { normalise, type RichText } from "@trestle/rich-text";
import { type Rank, ranksOf } from "../../wire/ranks.js";
import { personOf, queryIdOf } from "../ids.js";
import type { Heard, Telling } from "./heard.js";

/**
 * What is said to a channel's operators alone (`STATUSMSG`, `@#channel`) is not for the room: it goes, in private, to every
 * Matrix user whose client is one of those it was said to. What is said to all with a voice (`+#channel`) stays on IRC: in a
 * moderated channel that would be a private conversation with everybody.
 */
export function tellOperators(telling: Telling, heard: Heard, id: string, content: TextContent): void {
  const { network, members, isLinked, matrixUserOf } = telling.options;
  const { view } = heard.connection;
  const target = heard.message.params[0] ?? "";
  const ranks = ranksOf(view.isupport);
  const said = saidTo(target, view.isupport.statusPrefixes, ranks);
  const channel = view.fold(said?.channel ?? "");
  const sender = telling.userOf(heard, heard.source.nick);
  const person = personOf(sender.id)?.nick;
  // Services that announce what operators do are no company.
  const isCompany = members.channelsOf(view.fold(heard.source.nick)).includes(channel);
  if (!said || person === undefined || !isCompany || !isLinked(channel)) return;
  for (const [folded] of members.of(channel)) {
    const user = matrixUserOf(folded);
    const letters = members.ranksOf(folded, channel);
    if (user === undefined || !said.ranks.some(({ letter }) => letters.includes(letter))) continue;
    telling.emit(heard, {
      kind: "message",
      id: RemoteMessageId(id),
      channel: queryIdOf(network, person, UserId(user)),
      ...(heard.at !== undefined && { at: heard.at }),
      sender,
      content: { ...content, body: marked(content.body, target) },
      directTo: user,
    });
  }
}

/** The channel, and the ranks of which one is enough to hear it; `undefined` where it is not for operators alone. */
function saidTo(
  target: string,
  prefixes: string,
  ranks: readonly Rank[],
): { readonly channel: string; readonly ranks: readonly Rank[] } | undefined {
  const symbol = target.charAt(0);
  const at = ranks.findIndex((rank) => rank.symbol === symbol);
  const operators = ranks.findIndex((rank) => rank.letter === "o");
  if (symbol === "" || !prefixes.includes(symbol) || at === -1 || at > operators) return undefined;
  return { channel: target.slice(1), ranks: ranks.slice(0, at + 1) };
}

function marked(body: RichText, target: string): RichText {
  const mark = { type: "text", text: `[${target}] ` } as const;
  const [first, ...rest] = body.blocks;
  if (first?.type !== "paragraph")
    return normalise({ blocks: [{ type: "paragraph", children: [mark] }, ...body.blocks] });
  return normalise({ blocks: [{ ...first, children: [mark, ...first.children] }, ...rest] });
}
