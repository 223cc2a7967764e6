import { mentionTargetOf } from "@trestle/rich-text";
import { decodeEntities } from "../content/index.js";

/** The room that somebody typed: an id, an alias, or a link to it, which Slack may have put into `<…|…>`. */
export function roomOf(typed: string): string | undefined {
  const [text = ""] = decodeEntities(typed.trim().replace(/^<(.*)>$/, "$1")).split("|", 1);
  if (/^[!#]\S+$/.test(text)) return text;
  const target = mentionTargetOf(text);
  return target?.kind === "matrixRoom" ? target.roomIdOrAlias : undefined;
}
