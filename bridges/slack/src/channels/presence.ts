import { RemoteMessageId, type ChannelId, type Network } from "@trestle/core";
import { placeOf } from "../ids.js";
import {
  deadTokenCodes,
  never,
  patiently,
  type Installations,
  type SlackResult,
  type Workspace,
} from "../link/index.js";
import type { People } from "../people/people.js";
import type { Channels, SlackChannel } from "./channels.js";
import { MemberSync } from "./member-sync.js";
import type { PinSync } from "./pin-sync.js";
import type { RememberedChannels } from "./remembered.js";

export interface PresenceParts {
  readonly network: Pick<Network, "bridge" | "log" | "receive" | "storage" | "ghostsIn">;
  readonly installations: Installations;
  readonly channels: Channels;
  readonly people: People;
  readonly remembered: RememberedChannels;
  readonly pins: PinSync;
  /** Channels with more members are not compared. */
  readonly mostMembers: number;
  readonly isLinked: (channel: ChannelId) => boolean;
  /** Told when the app came into a channel that it was not in. */
  readonly entered: (channel: ChannelId) => void;
  readonly signal: AbortSignal;
}

/** Keeps the app in the channels that are linked, and finds out what became of them meanwhile. */
export class Presence {
  readonly #members: MemberSync;
  readonly #entering = new Set<ChannelId>();
  /** What Slack's time of the last change does not tell apart, the start does. */
  readonly #startedAt = Date.now();

  constructor(readonly parts: PresenceParts) {
    this.#members = new MemberSync(parts);
  }

  /** Whether the app is on its way into a channel. */
  isEntering(id: ChannelId): boolean {
    return this.#entering.has(id);
  }

  /** Enters a channel; where it is archived its room is told. Does not wait for the comparison of members. */
  async enter(id: ChannelId): Promise<void> {
    if (this.#entering.has(id)) return;
    this.#entering.add(id);
    let entered: Workspace | undefined;
    try {
      entered = await this.#enter(id);
    } finally {
      this.#entering.delete(id);
    }
    // Where many channels are linked Slack is asked slowly: nobody waits for it.
    if (entered) await this.parts.pins.compare(entered, id);
  }

  /** The workspace, where the bot is in the channel. */
  async #enter(id: ChannelId): Promise<Workspace | undefined> {
    const { installations, network, channels, signal } = this.parts;
    const place = placeOf(id);
    const workspace = place && installations.get(place.team);
    if (!place || !workspace) return undefined;
    const found = await this.#ask(id, (present) => channels.look(present, place.channel, signal));
    if (found.ok && !channels.rules.permit(found.body)) {
      network.log.warn(
        { channel: id, name: found.body.name },
        "A channel is linked that the operator does not let be linked (channels.allow, channels.deny): nothing of it is bridged",
      );
      return undefined;
    }
    if (found.ok) await this.#tellState(id, found.body);
    if (found.ok && (found.body.is_archived === true || found.body.is_im === true || found.body.is_mpim === true))
      return undefined;
    const isIn = found.ok && found.body.is_member === true;
    const entered: SlackResult<unknown> = isIn
      ? found
      : await this.#ask(id, (present) => channels.enter(present, place.channel));
    if (entered.ok) {
      if (!isIn) this.parts.entered(id);
      this.#compare(workspace, id, found);
      return workspace;
    }
    if (!signal.aborted)
      network.log.warn(
        { channel: id, reason: entered.reason },
        "The bot could not enter a linked channel; where it is private, invite it there",
      );
    return undefined;
  }

  /** For as long as Slack is away. Where the app has to be installed again, it enters when it is. */
  #ask<Body>(id: ChannelId, ask: (workspace: Workspace) => Promise<SlackResult<Body>>): Promise<SlackResult<Body>> {
    const { installations, isLinked, signal } = this.parts;
    return patiently(signal, async () => {
      // It may be installed anew meanwhile, or the link removed.
      const workspace = installations.get(placeOf(id)?.team ?? "");
      if (!workspace || !isLinked(id)) return never("it is not linked any more, or the app is not in the workspace");
      const answer = await ask(workspace);
      const isOver = !answer.ok && deadTokenCodes.has(answer.code ?? "");
      return isOver ? never(answer.reason, answer.code) : answer;
    });
  }

  /** It may have been renamed or archived, or no longer be, while the bridge was away. */
  async #tellState(id: ChannelId, channel: SlackChannel): Promise<void> {
    const { remembered, network } = this.parts;
    await remembered.compare(id, channel, (change) => network.receive(change));
    const { is_archived, updated } = channel;
    if (is_archived === undefined) return;
    const event = RemoteMessageId(`state:${is_archived ? "archived" : "open"}:${updated ?? ""}:${this.#startedAt}`);
    await network.receive({ kind: "channel", id: event, channel: id, archived: is_archived });
  }

  #compare(workspace: Workspace, id: ChannelId, found: SlackResult<SlackChannel>): void {
    const { network, mostMembers } = this.parts;
    if (!network.bridge.allMembers) return;
    const count = found.ok ? (found.body.num_members ?? 0) : 0;
    if (count > mostMembers)
      network.log.info(
        { channel: id, members: count },
        "A large channel: who says something joins its room, nobody else",
      );
    else this.#members.want(workspace, id);
  }
}
