import type { TimelineEvent } from "../matrix-client.js";
import { markIn, type Mark } from "./words.js";

/** A text that the bridge brought to a room. */
export interface Arrival {
  readonly mark: Mark;
  readonly handle: string;
  /** What the sender is called. */
  readonly nick: string;
  /** The events that it edits and that it answers. */
  readonly replaces: string | undefined;
  readonly answers: string | undefined;
}

export interface MatrixSight {
  readonly arrivals: readonly Arrival[];
  readonly reactions: readonly {
    readonly handle: string;
    readonly nick: string;
    readonly target: string;
    readonly key: string;
  }[];
  /** What was taken back before anybody looked at it: nothing but whose it was is left. */
  readonly pruned: readonly { readonly what: "text" | "reaction"; readonly nick: string }[];
  /** By the event that was taken back: how often. */
  readonly redactions: ReadonlyMap<string, number>;
}

/** What the bridge brought to a room; `sent` is what people on Matrix sent themselves. */
export function lookAtRoom(events: readonly TimelineEvent[], sent: ReadonlySet<string>): MatrixSight {
  const arrivals: Arrival[] = [];
  const reactions: MatrixSight["reactions"][number][] = [];
  const pruned: MatrixSight["pruned"][number][] = [];
  const redactions = new Map<string, number>();
  const names = new Map<string, string>();
  for (const { type, sender, content, event_id: handle, redacts } of events) {
    if (sent.has(handle)) continue;
    const nick = names.get(sender) ?? sender;
    const relation = recordIn(content, "m.relates_to");
    const related = textIn(relation, "event_id");
    // Who is invited is named by somebody else.
    if (type === "m.room.member" && content["membership"] === "join")
      names.set(sender, textIn(content, "displayname") ?? sender);
    else if ((type === "m.room.message" || type === "m.reaction") && Object.keys(content).length === 0)
      pruned.push({ what: type === "m.reaction" ? "reaction" : "text", nick });
    else if (type === "m.room.message") {
      const replaces = relation["rel_type"] === "m.replace" ? related : undefined;
      const text = textIn(replaces === undefined ? content : recordIn(content, "m.new_content"), "body") ?? "";
      const mark = markIn(text);
      const answers = textIn(recordIn(relation, "m.in_reply_to"), "event_id");
      if (mark) arrivals.push({ mark, handle, nick, replaces, answers });
    } else if (type === "m.reaction" && related !== undefined)
      reactions.push({ handle, nick, target: related, key: textIn(relation, "key") ?? "" });
    else if (type === "m.room.redaction") {
      const target = redacts ?? textIn(content, "redacts") ?? "";
      redactions.set(target, (redactions.get(target) ?? 0) + 1);
    }
  }
  return { arrivals, reactions, pruned, redactions };
}

type Fields = Readonly<Record<string, unknown>>;

function recordIn(fields: Fields, name: string): Fields {
  const value = fields[name];
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}

function textIn(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === "string" ? value : undefined;
}
