import type { ContentUri, Network } from "@trestle/core";
import type { RichText } from "@trestle/rich-text";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import type { EmojiChange } from "../content/index.js";
import type { Workspace } from "../link/index.js";
import { customEmojiOf } from "./custom.js";
import { emojiOfName } from "./standard.js";

const listSchema = z.looseObject({ emoji: z.record(z.string(), z.string()).default({}) });
const freshMs = 60 * 60_000;
/** So soon Slack is asked again that did not tell. */
const failedMs = 60_000;
/** A list that is so old may lack an emoji whose event was missed. */
const doubtedMs = 60_000;
/** So many of one message are looked up; the others are their names. */
const mostPictures = 20;

/** What a custom emoji is in Matrix: a picture, or the emoji it is an alias of. */
export type ShownEmoji = { readonly image?: ContentUri } | { readonly alias: string };

/** The emoji of workspaces' own, by name: asked of Slack once an hour at most, and kept up with its events. */
export class WorkspaceEmoji {
  readonly #lists = new LRUCache<string, Map<string, string>>({ max: 200, ttl: freshMs });
  readonly #asking = new Map<string, Promise<ReadonlyMap<string, string>>>();

  constructor(readonly network: Pick<Network, "log" | "picture">) {}

  /** Whether the workspace is known to have one of this name. */
  has(team: string, name: string): boolean {
    return this.#lists.get(team)?.has(name) === true;
  }

  /** Never fails: of a workspace that does not tell there are none. */
  async load(workspace: Workspace): Promise<ReadonlyMap<string, string>> {
    const known = this.#lists.get(workspace.id);
    if (known) return known;
    const asking =
      this.#asking.get(workspace.id) ?? this.#ask(workspace).finally(() => this.#asking.delete(workspace.id));
    this.#asking.set(workspace.id, asking);
    return asking;
  }

  /** What is to be shown for each of some names; those that no emoji of the workspace has are left out. */
  async shown(workspace: Workspace, names: Iterable<string>): Promise<ReadonlyMap<string, ShownEmoji>> {
    const wanted = [...names].slice(0, mostPictures);
    if (wanted.length === 0) return new Map();
    const list = await this.#listWith(workspace, wanted);
    const found = await Promise.all(wanted.map(async (name) => [name, await this.#shown(list, name)] as const));
    return new Map(found.flatMap(([name, shown]) => (shown ? [[name, shown] as const] : [])));
  }

  changed(team: string, change: EmojiChange): void {
    const list = this.#lists.get(team);
    switch (change.how) {
      case "added":
        list?.set(change.name, change.value);
        return;
      case "removed":
        for (const name of change.names) list?.delete(name);
        return;
      case "renamed": {
        const value = list?.get(change.from);
        list?.delete(change.from);
        if (value !== undefined) list?.set(change.to, value);
        return;
      }
      case "unknown":
        this.#lists.delete(team);
    }
  }

  async #listWith(workspace: Workspace, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const list = await this.load(workspace);
    const age = freshMs - this.#lists.getRemainingTTL(workspace.id);
    if (age < doubtedMs || names.every((name) => list.has(name))) return list;
    this.#lists.delete(workspace.id);
    return this.load(workspace);
  }

  async #shown(list: ReadonlyMap<string, string>, name: string): Promise<ShownEmoji | undefined> {
    const custom = customEmojiOf(list, name);
    if (!custom) return undefined;
    if (custom.kind === "alias") return { alias: custom.of };
    // An address of Slack's is of one picture for ever.
    const image = await this.network.picture({ id: custom.url, url: custom.url, name });
    return image === undefined ? {} : { image };
  }

  async #ask(workspace: Workspace): Promise<ReadonlyMap<string, string>> {
    const result = await workspace.call({ method: "emoji.list", arguments: {}, answer: listSchema });
    const list = new Map(result.ok ? Object.entries(result.body.emoji) : []);
    if (!result.ok)
      this.network.log.info({ workspace: workspace.id, reason: result.reason }, "Slack does not tell its own emoji");
    this.#lists.set(workspace.id, list, { ttl: result.ok ? freshMs : failedMs });
    return list;
  }
}

/** Whether a text from Matrix has custom emoji in it. */
export function namesEmoji(text: RichText): boolean {
  return JSON.stringify(text).includes('{"type":"emoji"');
}

/** Whether a name of Slack's may be one of a workspace's own. */
export function isCustomName(name: string): boolean {
  return emojiOfName(name) === undefined;
}
