import { RemoteMessageId, type ChannelId, type Logger } from "@trestle/core";
import { outcomeOf, type Happening, type ReactionChanged } from "../content/index.js";
import { isRecord, textIn } from "../content/json.js";
import { reactionKeyOf } from "../emoji/index.js";
import { channelIdOf } from "../ids.js";
import type { Making, Workspace } from "../link/index.js";
import { failureOf } from "../people/people.js";
import type { OwnChanges } from "../outward/own-changes.js";
import { ChannelLife, type ChannelLifeParts } from "./channel-life.js";
import { InwardMessages, partId, type InwardMessagesParts } from "./messages.js";

export interface InwardParts extends InwardMessagesParts, ChannelLifeParts {
  readonly log: Logger;
  readonly own: OwnChanges;
  /** Told what was made of an event of Slack's type. */
  readonly observe?: (type: string, outcome: "bridged" | "ignored" | "unknown") => void;
  /** Whether a linked channel has this id only since a moment ago, and its link does not follow yet. */
  readonly isMoving: (channel: ChannelId) => boolean;
  /** A linked channel of the workspace, where there is one. */
  readonly anyChannel: (team: string) => ChannelId | undefined;
}

/** Says what Slack's events mean for Matrix. */
export class Inward {
  readonly #messages: InwardMessages;
  readonly #channels: ChannelLife;

  constructor(readonly parts: InwardParts) {
    this.#messages = new InwardMessages(parts);
    this.#channels = new ChannelLife(parts);
  }

  /** One event; what it comes to is said through `making`. */
  async event(making: Making, event: unknown): Promise<void> {
    const { log } = this.parts;
    const { workspace } = making;
    // The app was removed from the workspace: nothing more can be asked there.
    if (!workspace) return;
    if (this.parts.isMoving(making.raw.channel)) {
      making.failed({
        failed: "retry",
        reason: "the channel's link does not follow its new id yet",
        afterMs: 100,
      });
      return;
    }
    const outcome = outcomeOf(event);
    if (making.raw.attempt === 1) this.parts.observe?.(typeOf(event), outcome.outcome);
    switch (outcome.outcome) {
      case "bridged":
        return this.#happened(making, workspace, outcome.what, event);
      case "ignored":
        log.debug({ type: outcome.type, reason: outcome.reason }, "An event of Slack's is not bridged");
        return;
      case "unknown":
        log.info({ type: outcome.type }, "Slack sent an event of a kind this bridge does not know");
    }
  }

  async #happened(making: Making, workspace: Workspace, what: Happening, event: unknown): Promise<void> {
    switch (what.kind) {
      case "message":
        return this.#messages.sent(making, workspace, what, event);
      case "edit":
        return this.#messages.edited(making, workspace, what);
      case "deletion":
        this.#messages.deleted(making, what, event);
        return;
      case "reaction":
        return this.#reaction(making, workspace, what);
      case "user":
        this.#profile(making, workspace, what.user);
        return;
      case "membership":
      case "channelName":
      case "channelTopic":
      case "channelPurpose":
      case "channelArchived":
      case "channelPrivacy":
      case "channelGone":
      case "channelCreated":
      case "directOpened":
      case "channelId":
      case "channelShared":
      case "historyChanged":
        return this.#channels.happened(making, workspace, what);
      case "pin":
      case "teamName":
      case "teamDomain":
      case "emoji":
      case "usergroup":
      case "fileDeleted":
      case "fileChanged":
      case "uninstalled":
      case "tokensRevoked":
      case "rateLimited":
      case "gridMigration":
        this.parts.log.debug({ kind: what.kind }, "Nothing of this is bridged to rooms");
    }
  }

  async #reaction(making: Making, workspace: Workspace, what: ReactionChanged): Promise<void> {
    const { user, name, ts, channel, change, key } = what;
    if (user === workspace.installation.botUser) return;
    if (await this.parts.own.take({ kind: change, channel, ts, user, what: name })) return;
    const person = await this.parts.people.find(workspace, user, { signal: making.signal });
    if (!person.ok) {
      making.failed(failureOf(person));
      return;
    }
    making.happened({
      kind: change === "added" ? "reaction" : "reactionRemoved",
      id: RemoteMessageId(key),
      channel: channelIdOf({ team: making.team, channel }),
      sender: person.body.remote,
      target: partId(ts, 0),
      key: reactionKeyOf(name),
    });
  }

  #profile(making: Making, workspace: Workspace, user: unknown): void {
    const { people, anyChannel } = this.parts;
    const person = people.changed(workspace, user);
    const channel = anyChannel(making.team);
    if (!person || channel === undefined) return;
    making.happened({ kind: "profile", id: RemoteMessageId(`profile:${making.raw.id}`), channel, user: person.remote });
  }
}

function typeOf(event: unknown): string {
  return isRecord(event) ? (textIn(event, "type") ?? "") : "";
}
