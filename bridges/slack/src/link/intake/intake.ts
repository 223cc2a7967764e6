import type { ChannelId, Logger, RawReceived } from "@trestle/core";
import { channelIdOf, workspaceLaneOf } from "../../ids.js";
import {
  channelOf,
  commandSchema,
  eventSchema,
  organisationOf,
  rateLimitedSchema,
  teamOf,
  type SlackCommand,
  type SlackEvent,
} from "./envelope.js";
import { CommitLane } from "./lane.js";

/** What Slack handed over, by whichever transport. */
export interface Delivery {
  readonly kind: "event" | "command";
  /** As it came, parsed as JSON (an event) or as a form (a command). */
  readonly body: unknown;
  readonly retryNum?: number;
  readonly retryReason?: string;
}

/** What became of it, when `take` has resolved. */
export type Taken =
  /** On disk. `reply` is what the person who typed a command is shown at once. */
  | { readonly outcome: "taken"; readonly reply?: Readonly<Record<string, unknown>> }
  /** Not for us: acknowledge it, so that Slack stops. */
  | { readonly outcome: "ignored"; readonly reason: string }
  /** Of another app: nobody may hand us that. */
  | { readonly outcome: "foreign"; readonly reason: string };

/** What the journal keeps of a delivery, and `interpret` gets back as its `wire`. */
export type SlackWire =
  | { readonly from: "event"; readonly team: string; readonly body: SlackEvent; readonly retryNum?: number | undefined }
  | { readonly from: "command"; readonly team: string; readonly body: SlackCommand }
  /** Here something may have been missed in a channel. */
  | { readonly from: "look"; readonly team: string; readonly channel: string };

export interface IntakeOptions {
  /** Takes all of them or none. */
  readonly receive: (raws: readonly RawReceived[]) => Promise<void>;
  readonly log: Logger;
  /** The app's id, where it is known. */
  readonly appId: () => string | undefined;
  /** Whether the app is installed in a workspace (or organisation). */
  readonly knowsTeam: (team: string, organisation?: string) => boolean;
  /** Whether anybody here cares about an event; what is not wanted is acknowledged and forgotten. Everything, where absent. */
  readonly wants?: (team: string, channel: string | undefined, event: SlackEvent["event"]) => boolean;
  /** What is answered to a command at once; what comes of it is said later, through its `response_url`. */
  readonly replyTo?: (command: SlackCommand) => Readonly<Record<string, unknown>>;
  /** An event is about to be taken: resolves when what must go before it has its place; `undefined` where nothing does. */
  readonly opening?: (team: string, channel: string, event: SlackEvent) => Promise<void> | undefined;
  /** How long events of one channel are gathered, to put them in the order in which they happened. In milliseconds. */
  readonly gatherMs?: number;
  /** Something of a channel is about to be committed: now something may be committed before it. */
  readonly onChannel?: (channel: ChannelId) => void;
  /** Slack has tried for a while to hand something over: what it gave up meanwhile never comes. */
  readonly onLate?: () => void;
  /** Slack left events out in this workspace. */
  readonly onRateLimited?: (team: string) => void;
}

/** Slack tries at once, after a minute and after five minutes. */
const lateFromRetry = 2;
const mostLanes = 10_000;
/** Slack's `ts` of what happened before everything else. */
const beforeAll = "0.0";

/**
 * Where both transports hand over what they got: checked, given its place in the order of its channel, and committed to
 * the core's journal under Slack's own id. When `take` resolves Slack may be told that we have it; when it rejects the
 * disk refused, and Slack must send it again.
 */
export class Intake {
  readonly #lanes = new Map<ChannelId, CommitLane>();
  /** When the last event was taken, in milliseconds since 1970. */
  lastAt: number | undefined;

  constructor(readonly options: IntakeOptions) {}

  async take(delivery: Delivery): Promise<Taken> {
    return delivery.kind === "command" ? this.#command(delivery) : this.#event(delivery);
  }

  /** Commits a raw event of the bridge's own making, before everything that is not on its way to the disk yet. */
  commit(id: string, channel: ChannelId, wire: SlackWire): Promise<void> {
    return this.#lane(channel).commit({ kind: "raw", id, channel, wire }, beforeAll);
  }

  #event({ body, retryNum }: Delivery): Promise<Taken> | Taken {
    const parsed = eventSchema.safeParse(body);
    if (!parsed.success) return this.#notice(body);
    const event = parsed.data;
    const foreign = this.#foreign(event.api_app_id);
    if (foreign) return foreign;
    const team = teamOf(event);
    if (team === undefined) return this.#ignored("an event that names no workspace");
    if (!this.options.knowsTeam(team, organisationOf(event)))
      return this.#ignored(`an event of the workspace ${team}, which is not known here`);
    const channel = channelOf(event.event);
    if (this.options.wants?.(team, channel, event.event) === false) return { outcome: "ignored", reason: "not wanted" };
    const lane = channel === undefined ? workspaceLaneOf(team) : channelIdOf({ team, channel });
    // The old verification token proves nothing; it need not lie in the journal.
    const { token: _token, ...kept } = event;
    const wire: SlackWire = { from: "event", team, body: kept, ...(retryNum !== undefined && { retryNum }) };
    if (retryNum !== undefined && retryNum >= lateFromRetry) this.options.onLate?.();
    const commit = () => this.#commit(`event:${event.event_id}`, lane, wire);
    const opening = channel === undefined ? undefined : this.options.opening?.(team, channel, event);
    return opening ? opening.then(commit) : commit();
  }

  #command({ body }: Delivery): Promise<Taken> | Taken {
    const parsed = commandSchema.safeParse(body);
    if (!parsed.success) return this.#ignored("a form that is no slash command");
    const command = parsed.data;
    const foreign = command.api_app_id === undefined ? undefined : this.#foreign(command.api_app_id);
    if (foreign) return foreign;
    const { team_id: team, channel_id: channel } = command;
    if (!this.options.knowsTeam(team))
      return this.#ignored(`a command of the workspace ${team}, which is not known here`);
    const reply = this.options.replyTo?.(command);
    const { token: _token, ...kept } = command;
    const wire: SlackWire = { from: "command", team, body: kept };
    return this.#commit(`command:${command.trigger_id}`, channelIdOf({ team, channel }), wire, reply);
  }

  async #commit(
    id: string,
    channel: ChannelId,
    wire: SlackWire,
    reply?: Readonly<Record<string, unknown>>,
  ): Promise<Taken> {
    this.options.onChannel?.(channel);
    const at = wire.from === "event" ? eventTsOf(wire.body.event) : undefined;
    await this.#lane(channel).commit({ kind: "raw", id, channel, wire }, at);
    this.lastAt = Date.now();
    return { outcome: "taken", ...(reply && { reply }) };
  }

  /** What has no event within: a notice of Slack's own, or nonsense. */
  #notice(body: unknown): Taken {
    const limited = rateLimitedSchema.safeParse(body);
    if (!limited.success) return this.#ignored("something that is no event");
    const { team_id: team } = limited.data;
    const foreign = this.#foreign(limited.data.api_app_id);
    if (foreign) return foreign;
    this.options.log.error(
      { team },
      "Slack leaves out events of a workspace, because there are too many; they are fetched",
    );
    this.options.onRateLimited?.(team);
    return { outcome: "ignored", reason: "a notice that events are left out" };
  }

  #foreign(appId: string): Taken | undefined {
    const own = this.options.appId();
    if (own === undefined || own === appId) return undefined;
    const reason = `an event of the app ${appId.slice(0, 32)}; this bridge is ${own}`;
    this.options.log.warn(reason);
    return { outcome: "foreign", reason };
  }

  #ignored(reason: string): Taken {
    this.options.log.warn(`Slack sent ${reason}`);
    return { outcome: "ignored", reason };
  }

  #lane(channel: ChannelId): CommitLane {
    let lane = this.#lanes.get(channel);
    if (!lane) {
      if (this.#lanes.size >= mostLanes) for (const [key, each] of this.#lanes) if (each.idle) this.#lanes.delete(key);
      lane = new CommitLane(this.options.receive, this.options.gatherMs);
      this.#lanes.set(channel, lane);
    }
    return lane;
  }
}

/** When an event happened. */
function eventTsOf({ event_ts }: SlackEvent["event"]): string | undefined {
  return typeof event_ts === "string" && /^\d+(?:\.\d+)?$/.test(event_ts) ? event_ts : undefined;
}
