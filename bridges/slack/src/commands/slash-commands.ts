import type { ChannelLink, Network } from "@trestle/core";
import { matrixLinkOf } from "@trestle/rich-text";
import type { Channels } from "../channels/channels.js";
import type { SlackConfig } from "../config.js";
import { escapeMrkdwn } from "../content/index.js";
import { channelIdOf } from "../ids.js";
import type { Making, SlackCommand, Workspace } from "../link/index.js";
import type { Accounts } from "../people/accounts/index.js";
import type { People } from "../people/people.js";
import { mayDecide } from "./permission.js";
import { roomOf } from "./room-text.js";

export interface SlashCommandParts {
  readonly network: Pick<Network, "bridge" | "log" | "links" | "requestLink" | "removeLinks">;
  readonly config: Pick<SlackConfig, "commands">;
  readonly channels: Channels;
  readonly people: People;
  readonly accounts: Accounts;
  /** Shows a person the answer, by the address that came with their command. */
  readonly respond: (responseUrl: string, text: string, signal: AbortSignal) => Promise<void>;
}

interface Call {
  readonly workspace: Workspace;
  readonly command: SlackCommand;
  readonly argument: string;
  readonly signal: AbortSignal;
}

/** What people in Slack type to the bridge: `/matrix link …`. Each is answered to them alone. */
export class SlashCommands {
  constructor(readonly parts: SlashCommandParts) {}

  async run({ workspace, signal }: Making, command: SlackCommand): Promise<void> {
    const { response_url: url } = command;
    if (!workspace || typeof url !== "string") return;
    const [word = "", ...rest] = command.text.trim().split(/\s+/);
    const call: Call = { workspace, command, argument: rest.join(" "), signal };
    let text: string;
    try {
      text = await this.#answer(word.toLowerCase(), call);
    } catch (error) {
      // The core says in its errors what a person must do.
      text = error instanceof Error ? error.message : String(error);
      this.parts.network.log.info(
        { command: word, channel: command.channel_id, reason: text },
        "A command was refused",
      );
    }
    await this.parts.respond(url, escapeMrkdwn(text), signal);
  }

  #answer(word: string, call: Call): Promise<string> {
    switch (word) {
      case "link":
        return this.#link(call);
      case "unlink":
        return this.#unlink(call);
      case "status":
        return this.#status(call);
      default:
        return Promise.resolve(this.#help(call));
    }
  }

  #help({ command: { command } }: Call): string {
    const { bot } = this.parts.network.bridge;
    return [
      "This is the bridge to Matrix.",
      `${command} link <room> – links this channel to a Matrix room: its id (!…), its alias (#room:server) or a matrix.to link. ${bot} must be in the room.`,
      `${command} unlink – removes the links of this channel`,
      `${command} status – what this channel is linked to`,
    ].join("\n");
  }

  async #link(call: Call): Promise<string> {
    const { network, channels, accounts } = this.parts;
    const { workspace, command, argument } = call;
    const room = roomOf(argument);
    if (room === undefined)
      return `Say which room: ${command.command} link #room:server (or its id, or a matrix.to link).`;
    const refusal = await this.#refusal(call);
    if (refusal !== undefined) return refusal;
    const channel = await channels.resolve(`${workspace.id}/${command.channel_id}`);
    const login = accounts.ofSlackUser(workspace.id, command.user_id)?.login;
    const outcome = await network.requestLink({
      channel,
      room,
      by: await this.#nameOf(call),
      ...(login !== undefined && { login }),
    });
    return outcome === "linked"
      ? `${channel.name} is now linked to ${room}.`
      : `The room ${room} was asked: a moderator there must agree, as the bridge's message there says.`;
  }

  async #unlink(call: Call): Promise<string> {
    const refusal = await this.#refusal(call);
    if (refusal !== undefined) return refusal;
    const removed = await this.parts.network.removeLinks(idOf(call), await this.#nameOf(call));
    return removed.length === 0
      ? "This channel is not linked."
      : `No longer linked to ${removed.map(({ room }) => room).join(", ")}.`;
  }

  async #status(call: Call): Promise<string> {
    const id = idOf(call);
    const links = (await this.parts.network.links()).filter(({ channel }) => channel === id);
    if (links.length === 0)
      return `This channel is not linked. Link it with: ${call.command.command} link #room:server`;
    return links.map((link) => `Linked to ${addressOf(link)}`).join("\n");
  }

  /** Why somebody may not decide about this channel. */
  async #refusal({ workspace, command, signal }: Call): Promise<string | undefined> {
    const { config, channels } = this.parts;
    const channel = await channels.find(workspace, command.channel_id, signal);
    if (!channel.ok)
      return channel.code === "channel_not_found"
        ? "The bridge's app is not in this channel: invite it first."
        : `Slack could not be asked about the channel: ${channel.reason}.`;
    const { is_im, is_mpim, creator } = channel.body;
    if (is_im === true || is_mpim === true) return "Only channels can be linked, not direct messages.";
    const may = await mayDecide(config.commands.who, { workspace, user: command.user_id, creator, signal });
    if (!may.ok) return `Slack could not be asked who you are: ${may.reason}.`;
    return may.body ? undefined : `You may not link this channel: ${whoMay[config.commands.who]} may.`;
  }

  async #nameOf({ workspace, command, signal }: Call): Promise<string> {
    const person = await this.parts.people.find(workspace, command.user_id, { signal });
    return (person.ok ? person.body.remote.name : undefined) ?? command.user_id;
  }
}

const whoMay: Readonly<Record<SlackConfig["commands"]["who"], string>> = {
  admins: "the workspace's admins and owners",
  creators: "the workspace's admins and owners and who made the channel",
  members: "every full member of the workspace",
};

function idOf({ workspace, command }: Call) {
  return channelIdOf({ team: workspace.id, channel: command.channel_id });
}

function addressOf({ room }: Pick<ChannelLink, "room">): string {
  return matrixLinkOf({ kind: "matrixRoom", roomIdOrAlias: room }) ?? room;
}
