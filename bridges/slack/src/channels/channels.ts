import type { ChannelId, ChannelInfo } from "@trestle/core";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import type { SlackConfig } from "../config.js";
import { decodeEntities, slackLinkOf } from "../content/index.js";
import { channelIdOf, placeOf } from "../ids.js";
import type { Installations, SlackResult, Workspace } from "../link/index.js";
import { ChannelRules } from "./rules.js";

export const channelSchema = z.looseObject({
  id: z.string().min(1),
  name: z.string().optional(),
  is_archived: z.boolean().optional(),
  is_member: z.boolean().optional(),
  is_private: z.boolean().optional(),
  is_im: z.boolean().optional(),
  is_mpim: z.boolean().optional(),
  user: z.string().optional(),
  creator: z.string().optional(),
  /** In seconds since 1970. */
  created: z.number().optional(),
  num_members: z.number().optional(),
  /** In milliseconds since 1970. */
  updated: z.number().optional(),
  topic: z.looseObject({ value: z.string().optional() }).optional(),
  purpose: z.looseObject({ value: z.string().optional() }).optional(),
});
/** A conversation, as far as it is used. */
export type SlackChannel = z.output<typeof channelSchema>;

const infoSchema = z.looseObject({ channel: channelSchema });
const listSchema = z.looseObject({
  channels: z.array(channelSchema).default([]),
  response_metadata: z.looseObject({ next_cursor: z.string().optional() }).optional(),
});
const doneSchema = z.looseObject({});

const rememberedMs = 10 * 60_000;
const mostPages = 50;

/** The channels of all workspaces, as far as they were needed. */
export class Channels {
  readonly rules: ChannelRules;
  readonly #known = new LRUCache<string, SlackChannel>({ max: 10_000, ttl: rememberedMs });

  constructor(
    readonly installations: Installations,
    config: Pick<SlackConfig, "channels">,
  ) {
    this.rules = new ChannelRules(config.channels);
  }

  /** Without asking anybody. */
  known(workspace: Workspace, id: string): SlackChannel | undefined {
    return this.#known.get(`${workspace.id} ${id}`);
  }

  forget(workspace: Workspace, id: string): void {
    this.#known.delete(`${workspace.id} ${id}`);
  }

  remember(workspace: Workspace, channel: SlackChannel): void {
    this.#known.set(`${workspace.id} ${channel.id}`, channel);
  }

  /**
   * Whether the operator lets the channel be bridged, also where it was linked before the operator said otherwise, or is
   * called otherwise now. Direct messages are for those who signed in, and no channels.
   */
  async permits(channel: ChannelId, workspace: Workspace, signal?: AbortSignal): Promise<SlackResult<boolean>> {
    const place = placeOf(channel);
    if (!this.rules.restrict || !place) return { ok: true, body: true };
    const found = await this.find(workspace, place.channel, signal);
    // Of what the bot may not see nothing can be said; nothing comes from there either.
    if (!found.ok)
      return found.failed === "permanent" ? { ok: true, body: this.rules.permit({ id: place.channel }) } : found;
    const { is_im, is_mpim } = found.body;
    return { ok: true, body: is_im === true || is_mpim === true || this.rules.permit(found.body) };
  }

  async find(workspace: Workspace, id: string, signal?: AbortSignal): Promise<SlackResult<SlackChannel>> {
    const known = this.known(workspace, id);
    return known ? { ok: true, body: known } : this.look(workspace, id, signal);
  }

  /** Asks Slack, whatever is known. */
  async look(workspace: Workspace, id: string, signal?: AbortSignal): Promise<SlackResult<SlackChannel>> {
    const result = await workspace.call({
      method: "conversations.info",
      arguments: { channel: id, include_num_members: true },
      answer: infoSchema,
      ...(signal && { signal }),
    });
    if (!result.ok) return result;
    this.#known.set(`${workspace.id} ${id}`, result.body.channel);
    return { ok: true, body: result.body.channel };
  }

  /**
   * Finds a channel by what a person types: its URL, its id, or its name, with the workspace in front of it
   * (`acme/general`) where there are several.
   * @throws Error with what to type instead, or to do first
   */
  async resolve(text: string): Promise<ChannelInfo> {
    const { workspace, wanted } = this.placeOf(text.trim());
    const channel = /^[CDG][A-Z0-9]{5,}$/.test(wanted)
      ? await this.#byId(workspace, wanted)
      : await this.byName(workspace, wanted.replace(/^#/, "").toLowerCase());
    // Slack shows an app no private channel that it is not in.
    if (!channel)
      throw new Error(
        `The app sees no channel ${wanted} in Slack. If it is a private one, type /invite @matrix there first (or what the app is called).`,
      );
    this.#mayLink(channel);
    return infoOf(workspace, channel);
  }

  /** The bot enters a channel, so that it is told what is said there. A private one it must be invited to. */
  async enter(workspace: Workspace, id: string): Promise<SlackResult<unknown>> {
    const joined = await workspace.call({
      method: "conversations.join",
      arguments: { channel: id },
      answer: doneSchema,
    });
    return joined.ok || joined.code !== "method_not_supported_for_channel_type" ? joined : { ok: true, body: {} };
  }

  /** The workspace that a person means, and what they say of a channel in it. @throws Error with what to type instead */
  placeOf(text: string): { readonly workspace: Workspace; readonly wanted: string } {
    const { all } = this.installations;
    const link = slackLinkOf(text);
    if (link) {
      const host = link.host.toLowerCase();
      const workspace =
        all.find(({ installation }) => hostOf(installation.url) === host) ?? (all.length === 1 ? all[0] : undefined);
      if (!workspace) throw new Error(`The app is not installed in ${host}. It is in: ${names(all)}.`);
      return { workspace, wanted: link.channel };
    }
    const [first, second, ...more] = text.split("/");
    if (first !== undefined && second !== undefined && more.length === 0) {
      const workspace = all.find(
        ({ id, installation }) =>
          id === first ||
          domainOf(installation.url) === first.toLowerCase() ||
          installation.name.toLowerCase() === first.toLowerCase(),
      );
      if (!workspace) throw new Error(`There is no workspace ${first} here. There are: ${names(all)}.`);
      return { workspace, wanted: second };
    }
    const [only, ...others] = all;
    if (!only)
      throw new Error(
        "The app is in no workspace yet, or Slack has not answered: look at the state of the connections.",
      );
    if (others.length > 0)
      throw new Error(
        `There are several workspaces: write one of ${names(all)} in front of the channel, e.g. ${domainOf(only.installation.url) ?? only.id}/general.`,
      );
    return { workspace: only, wanted: text };
  }

  async #byId(workspace: Workspace, id: string): Promise<SlackChannel | undefined> {
    const found = await this.find(workspace, id);
    if (found.ok) return found.body;
    if (found.code === "channel_not_found") return undefined;
    throw new Error(`Slack could not be asked: ${found.reason}.`);
  }

  /** @throws Error where Slack cannot be asked */
  async byName(workspace: Workspace, name: string): Promise<SlackChannel | undefined> {
    let cursor: string | undefined;
    for (let page = 0; page < mostPages; page += 1) {
      const result = await workspace.call({
        method: "conversations.list",
        arguments: {
          types: "public_channel,private_channel",
          exclude_archived: true,
          limit: 1_000,
          ...(cursor !== undefined && { cursor }),
        },
        answer: listSchema,
      });
      if (!result.ok) throw new Error(`Slack could not be asked: ${result.reason}.`);
      const found = result.body.channels.find((channel) => channel.name === name);
      if (found) return found;
      cursor = result.body.response_metadata?.next_cursor;
      if (cursor === undefined || cursor === "") return undefined;
    }
    return undefined;
  }

  #mayLink({ id, name = "", is_archived, is_im, is_mpim }: SlackChannel): void {
    if (is_im === true || is_mpim === true) throw new Error("Only channels can be linked, not direct messages.");
    if (!this.rules.permit({ id, name })) throw new Error(`The operator does not let #${name} be linked.`);
    if (is_archived === true) throw new Error(`#${name} is archived in Slack: unarchive it first.`);
  }
}

/** A channel as the core knows it. */
export function infoOf(workspace: Workspace, { id, name, topic }: SlackChannel): ChannelInfo {
  return {
    id: channelIdOf({ team: workspace.id, channel: id }),
    name: `#${name ?? id}`,
    ...(topic?.value !== undefined && { topic: decodeEntities(topic.value) }),
  };
}

function hostOf(url: string | undefined): string | undefined {
  return url === undefined || !URL.canParse(url) ? undefined : new URL(url).host.toLowerCase();
}

function domainOf(url: string | undefined): string | undefined {
  return hostOf(url)?.split(".", 1)[0];
}

function names(all: readonly Workspace[]): string {
  return all.map(({ id, installation }) => domainOf(installation.url) ?? id).join(", ") || "no workspace yet";
}
