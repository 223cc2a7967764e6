import {
  refused,
  retry,
  type ChannelId,
  type ChannelInfo,
  type ChannelRequest,
  type CommandCall,
  type Logger,
  type NameEffect,
  type NetworkCommand,
  type Outcome,
} from "@trestle/core";
import { z } from "zod";
import { escapeMrkdwn } from "../content/index.js";
import { channelIdOf, placeOf } from "../ids.js";
import type { Installations, SlackFailure, SlackResult, Workspace } from "../link/index.js";
import type { Accounts } from "../people/accounts/index.js";
import { channelSchema, infoOf, type Channels, type SlackChannel } from "./channels.js";
import { channelNameOf } from "./channel-name.js";

export interface ManagingParts {
  readonly log: Logger;
  readonly installations: Installations;
  readonly channels: Channels;
  readonly accounts: Accounts;
  /** Whether a channel has a room. */
  readonly isLinked: (channel: ChannelId) => boolean;
}

const doneSchema = z.looseObject({});
const madeSchema = z.looseObject({ channel: channelSchema });
const longestPurpose = 250;
/** A channel of the bot's own that is no older may be the one whose making was not answered. */
const justMadeMs = 10 * 60_000;

/** Channels made, renamed, described and archived from Matrix, by the bot: Slack lets it manage what it made itself. */
export class Managing {
  constructor(readonly parts: ManagingParts) {}

  /** @throws Error that tells a person what is missing */
  async create({ name: typed, isPrivate, author, signal }: ChannelRequest): Promise<ChannelInfo> {
    const { channels } = this.parts;
    const { workspace, wanted } = channels.placeOf(typed.trim());
    const name = channelNameOf(wanted);
    if (name === undefined) throw new Error(`“${wanted}” cannot be the name of a channel in Slack.`);
    if (!channels.rules.permit({ id: "", name })) throw new Error(`The operator does not let #${name} be linked.`);
    const made = await workspace.call({
      method: "conversations.create",
      arguments: { name, is_private: isPrivate },
      answer: madeSchema,
      signal,
    });
    const channel = made.ok ? made.body.channel : await this.#madeBefore(workspace, name, made);
    if (!channel) {
      if (!made.ok && made.code === "name_taken")
        throw new Error(`There is a channel #${name} in Slack already: link it with link ${typed.trim()}`);
      throw new Error(`The channel could not be made: ${made.ok ? "Slack does not name it" : made.reason}.`);
    }
    channels.remember(workspace, channel);
    await this.#invite(workspace, channel.id, author.userId, signal);
    return infoOf(workspace, channel);
  }

  /** Commands about a linked channel. */
  commands(): Readonly<Record<string, NetworkCommand>> {
    return {
      rename: {
        usage: "<name>",
        summary: "gives the channel another name",
        run: (call) => this.#renameFor(call),
      },
      purpose: {
        usage: "<text>",
        summary: "says what the channel is for",
        run: async (call) => {
          const purpose = escapeMrkdwn(call.argument.slice(0, longestPurpose));
          await this.#do(call, "conversations.setPurpose", { purpose });
          return "The channel's purpose is set.";
        },
      },
      archive: {
        summary: "archives the channel",
        run: async (call) => {
          await this.#do(call, "conversations.archive", {}, "already_archived");
          return "The channel is archived.";
        },
      },
      unarchive: {
        summary: "opens an archived channel again",
        run: async (call) => {
          await this.#do(call, "conversations.unarchive", {}, "not_archived");
          return "The channel is open again.";
        },
      },
    };
  }

  /** The room got a name: so does its channel, as far as Slack takes it. */
  async named({ channel: id, name: wanted, signal }: NameEffect): Promise<Outcome> {
    const name = channelNameOf(wanted);
    if (name === undefined) return refused(`“${wanted.slice(0, 80)}” cannot be the name of a channel in Slack.`);
    const team = placeOf(id)?.team;
    if (team === undefined || !this.parts.installations.get(team))
      return retry("the app is not in the channel's workspace (any more)", { afterMs: 10_000 });
    const result = await this.#rename(id, name, signal);
    return result.ok ? {} : result;
  }

  async #renameFor({ channel, argument, signal }: CommandCall): Promise<string> {
    const name = channelNameOf(argument);
    if (name === undefined) throw new Error("Say how the channel is to be called: rename <name>");
    const result = await this.#rename(channel, name, signal);
    if (!result.ok) throw new Error(`${result.reason}.`);
    return `The channel is called #${name}.`;
  }

  async #rename(id: ChannelId, name: string, signal: AbortSignal): Promise<SlackResult<unknown>> {
    const { channels } = this.parts;
    const { workspace, channel } = this.#placeOf(id);
    const found = await channels.look(workspace, channel, signal);
    if (!found.ok) return found;
    if (found.body.name === name) return { ok: true, body: {} };
    if (!channels.rules.permit({ id: channel, name }))
      return { ok: false, ...refused(`The operator does not let #${name} be linked`) };
    channels.forget(workspace, channel);
    return workspace.call({
      method: "conversations.rename",
      arguments: { channel, name },
      answer: doneSchema,
      signal,
    });
  }

  /** @throws Error that tells a person why not */
  async #do(
    { channel: id, signal }: CommandCall,
    method: string,
    settings: Readonly<Record<string, unknown>>,
    asGood?: string,
  ): Promise<void> {
    const { workspace, channel } = this.#placeOf(id);
    this.parts.channels.forget(workspace, channel);
    const result = await workspace.call({
      method,
      arguments: { channel, ...settings },
      answer: doneSchema,
      signal,
    });
    if (!result.ok && result.code !== asGood) throw new Error(`${result.reason}.`);
  }

  #placeOf(id: ChannelId): { readonly workspace: Workspace; readonly channel: string } {
    const place = placeOf(id);
    const workspace = place && this.parts.installations.get(place.team);
    if (!place || !workspace) throw new Error("The app is not in the channel's workspace (any more).");
    return { workspace, channel: place.channel };
  }

  /** Nobody may have heard of it: it is of the bot, new, and linked to nothing. */
  async #madeBefore(
    workspace: Workspace,
    name: string,
    { failed, code }: SlackFailure,
  ): Promise<SlackChannel | undefined> {
    if (failed !== "uncertain" && code !== "name_taken") return undefined;
    const found = await this.parts.channels.byName(workspace, name);
    if (!found || found.creator !== workspace.installation.botUser) return undefined;
    const isNew = found.created !== undefined && Date.now() - found.created * 1_000 < justMadeMs;
    const isLinked = this.parts.isLinked(channelIdOf({ team: workspace.id, channel: found.id }));
    return isNew && !isLinked ? found : undefined;
  }

  /** Who signed in is in the channel they asked for. */
  async #invite(workspace: Workspace, channel: string, user: string, signal: AbortSignal): Promise<void> {
    const account = this.parts.accounts.ofMatrixUser(workspace.id, user);
    if (!account) return;
    const invited = await workspace.call({
      method: "conversations.invite",
      arguments: { channel, users: account.user },
      answer: doneSchema,
      signal,
    });
    if (!invited.ok && invited.code !== "already_in_channel")
      this.parts.log.warn({ channel, reason: invited.reason }, "Who had a channel made could not be invited to it");
  }
}
