import { RemoteMessageId, type ChannelChanged, type Logger, type Network, type RemoteUser } from "@trestle/core";
import type { Channels } from "../channels/channels.js";
import type { RememberedChannels } from "../channels/remembered.js";
import { decodeEntities, type ChannelHappening } from "../content/index.js";
import { channelIdOf } from "../ids.js";
import type { Making, Workspace } from "../link/index.js";
import { failureOf, type People } from "../people/people.js";

export interface ChannelLifeParts {
  readonly log: Logger;
  readonly network: Pick<Network, "moveChannel">;
  readonly people: People;
  readonly channels: Channels;
  readonly remembered: RememberedChannels;
  /** A channel is open again: the app may have to enter it. */
  readonly reopened: (team: string, channel: string) => void;
}

type Change = Omit<ChannelChanged, "kind" | "id" | "channel">;

/** What happens to channels and who is in them. */
export class ChannelLife {
  constructor(readonly parts: ChannelLifeParts) {}

  async happened(making: Making, workspace: Workspace, what: ChannelHappening): Promise<void> {
    const { channels, network, remembered, reopened } = this.parts;
    const id = channelIdOf({ team: making.team, channel: what.channel });
    channels.forget(workspace, what.channel);
    const { botUser } = workspace.installation;
    switch (what.kind) {
      case "membership":
        return this.#membership(making, workspace, what);
      case "channelName":
        this.#changed(making, what, { name: `#${decodeEntities(what.name)}` });
        await remembered.update(id, { name: decodeEntities(what.name) });
        return;
      case "channelTopic":
        await remembered.update(id, { topic: decodeEntities(what.topic) });
        // What was set from Matrix may have been shortened.
        if (what.user === botUser) return;
        this.#changed(making, what, { topic: decodeEntities(what.topic) });
        return;
      case "channelArchived":
        if (!what.archived) reopened(making.team, what.channel);
        this.#changed(making, what, { archived: what.archived, ...(await this.#by(making, workspace, what)) });
        return;
      case "channelGone":
        if (what.how === "left") {
          this.#left(making, what);
          return;
        }
        this.#changed(making, what, { deleted: true, ...(await this.#by(making, workspace, what)) });
        return;
      case "channelPrivacy":
        this.#changed(making, what, {
          notice: what.isPrivate
            ? "The channel is private in Slack from now on. Who may read this room is for you to decide."
            : "The channel is public in Slack from now on.",
        });
        return;
      case "channelId": {
        const { newChannel: channel } = what;
        await network.moveChannel(id, channelIdOf({ team: making.team, channel }));
        return;
      }
      case "channelPurpose":
        this.#changed(making, what, { notice: purposeText(decodeEntities(what.purpose)) });
        return;
      case "channelCreated":
      case "directOpened":
      case "channelShared":
      case "historyChanged":
        this.parts.log.debug({ kind: what.kind, channel: what.channel }, "Nothing of this is bridged to rooms");
    }
  }

  async #membership(
    making: Making,
    workspace: Workspace,
    what: Extract<ChannelHappening, { kind: "membership" }>,
  ): Promise<void> {
    if (what.user === workspace.installation.botUser) {
      if (what.change === "leave") this.#left(making, what);
      return;
    }
    const person = await this.parts.people.find(workspace, what.user, { team: what.team, signal: making.signal });
    if (!person.ok) {
      making.failed(failureOf(person));
      return;
    }
    const channel = channelIdOf({ team: making.team, channel: what.channel });
    making.happened({
      kind: "membership",
      id: RemoteMessageId(what.key),
      channel,
      user: person.body.remote,
      change: what.change,
    });
  }

  #left(making: Making, what: ChannelHappening): void {
    this.#changed(making, what, {
      notice:
        "The bridge was removed from the channel in Slack: nothing arrives from there until it is invited again (/invite).",
    });
  }

  #changed({ team, happened }: Making, { channel, key }: ChannelHappening, change: Change): void {
    happened({ ...change, kind: "channel", id: RemoteMessageId(key), channel: channelIdOf({ team, channel }) });
  }

  /** Who did it, where that is known and told. */
  async #by(
    { signal }: Making,
    workspace: Workspace,
    { user }: { readonly user?: string },
  ): Promise<{ readonly by?: RemoteUser }> {
    if (user === undefined) return {};
    const person = await this.parts.people.find(workspace, user, { signal });
    return person.ok ? { by: person.body.remote } : {};
  }
}

function purposeText(purpose: string): string {
  return purpose === "" ? "The channel has no purpose in Slack any more." : `The channel is now for: ${purpose}`;
}
