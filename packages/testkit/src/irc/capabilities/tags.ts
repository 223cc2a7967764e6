import type { Client, Stamp } from "../client.js";

/** The tags of a line as one client may see them: `account-tag`, `batch`, `labeled-response`, `message-tags`, `server-time`. */
export function tagsFor(client: Client, stamp: Stamp, label: string | undefined): Map<string, string> {
  const tags = new Map<string, string>();
  if (label !== undefined) tags.set("label", label);
  if (stamp.batch !== undefined && (client.has("batch") || client.has("labeled-response")))
    tags.set("batch", stamp.batch);
  if (client.has("server-time")) tags.set("time", new Date(stamp.at).toISOString());
  if (client.has("account-tag") && stamp.account !== undefined) tags.set("account", stamp.account);
  if (stamp.concat === true && client.has("draft/multiline")) tags.set("draft/multiline-concat", "");
  if (stamp.relayedBy !== undefined && client.has("draft/relaymsg")) tags.set("draft/relaymsg", stamp.relayedBy);
  if (client.has("message-tags")) {
    if (stamp.msgid !== undefined) tags.set("msgid", stamp.msgid);
    if (stamp.bot === true) tags.set("bot", "");
    for (const [key, value] of stamp.clientTags ?? []) tags.set(key, value);
  }
  return tags;
}

/**
 * The client-only tags that are relayed. `denied` is CLIENTTAGDENY: names without their plus and with commas, `*` for
 * all, `-name` for what is allowed all the same.
 */
export function relayedTags(tags: ReadonlyMap<string, string>, denied: string): Map<string, string> {
  const names = new Set(denied.split(",").filter((name) => name !== ""));
  const allowed = (name: string): boolean => names.has(`-${name}`) || !(names.has("*") || names.has(name));
  return new Map([...tags].filter(([key]) => key.startsWith("+") && allowed(key.slice(1))));
}
