import bolt from "@slack/bolt";
import type { App, Logger as SlackLogger, Receiver } from "@slack/bolt";
import type { Failure, Interpretation, Logger, NetworkEvent } from "@trestle/core";
import type { SlackApiOptions } from "../api/slack-api.js";
import type { SlackWire } from "../intake/intake.js";
import type { Installations } from "../installations/installations.js";
import type { Workspace } from "../installations/workspace.js";

/** What a listener finds as `context.making`: what it is told of, and what it makes of it. */
export interface Making {
  /** The workspace as the bot sees it; `undefined` where the app was just removed from it. */
  readonly workspace: Workspace | undefined;
  readonly team: string;
  readonly raw: Interpretation;
  /** Aborted when the core stops waiting. */
  readonly signal: AbortSignal;
  /** Says what happened, in order. */
  readonly happened: (event: NetworkEvent) => void;
  /** It cannot be known (now): as `interpret` answers it. What was said to have happened is forgotten. */
  readonly failed: (failure: Failure) => void;
}

/** What Bolt gives listeners besides its own. */
export interface BoltContext {
  making: Making;
  [key: string]: unknown;
}

export interface BoltOptions {
  readonly installations: Installations;
  readonly api: SlackApiOptions;
  /** Starts and stops the transports. */
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/**
 * Bolt behind the journal. Bolt tells Slack that an event was taken before any listener has run, and forgets it when the
 * process ends; so our transports commit and acknowledge, and Bolt's app is given an event when its turn in the order of
 * its channel comes, as often as it takes. For Bolt the acknowledgement does nothing any more.
 */
export class BoltApp {
  readonly app: App<BoltContext>;
  readonly #log: Logger;
  readonly #installations: Installations;

  constructor({ installations, api, start, stop }: BoltOptions) {
    this.#log = api.log;
    this.#installations = installations;
    const logger = quiet(api.log);
    const receiver: Receiver = { init: () => undefined, start, stop };
    this.app = new bolt.App<BoltContext>({
      receiver,
      authorize: ({ teamId, enterpriseId }) => this.#authorize(teamId, enterpriseId),
      // It knows neither edits nor deletions of our own; what is an echo is decided where the message map is.
      ignoreSelf: false,
      convoStore: false,
      logger,
      clientOptions: {
        slackApiUrl: api.url,
        retryConfig: { retries: 0 },
        rejectRateLimitedCalls: true,
        timeout: api.timeoutMs,
        fetch: api.transport.fetch(),
        logger,
      },
    });
    this.app.error((error) => Promise.reject(originalOf(error)));
  }

  /** Gives what was received raw to the listeners; resolves to what they made of it. Rejects when one threw. */
  async interpret(
    raw: Interpretation,
    wire: Exclude<SlackWire, { from: "look" }>,
  ): Promise<readonly NetworkEvent[] | Failure> {
    const made: NetworkEvent[] = [];
    let failure: Failure | undefined;
    const making: Making = {
      workspace: this.#installations.get(wire.team),
      team: wire.team,
      raw,
      signal: raw.signal,
      happened: (event) => void made.push(event),
      failed: (why) => (failure ??= why),
    };
    await this.app.processEvent({
      body: wire.body,
      ack: () => Promise.resolve(),
      ...(wire.from === "event" && wire.retryNum !== undefined && { retryNum: wire.retryNum }),
      customProperties: { making },
    });
    return failure ?? made;
  }

  async #authorize(team: string | undefined, organisation: string | undefined) {
    const workspace = this.#installations.get(team ?? organisation ?? "");
    if (!workspace) return { ...(team !== undefined && { teamId: team }) };
    const token = await workspace.token.current();
    if (!token.ok) this.#log.debug({ team, reason: token.reason }, "Bolt's client has no token");
    const { bot, botUser } = workspace.installation;
    return {
      ...(token.ok && { botToken: token.body }),
      ...(bot !== undefined && { botId: bot }),
      botUserId: botUser,
      ...(team !== undefined && { teamId: team }),
      ...(organisation !== undefined && { enterpriseId: organisation }),
    };
  }
}

/** Bolt wraps what is not its own. */
function originalOf(error: Error): Error {
  return "original" in error && error.original instanceof Error ? error.original : error;
}

function quiet(log: Logger): SlackLogger {
  const debug = (...messages: unknown[]): void => log.debug({ bolt: messages.map(String).join(" ").slice(0, 500) });
  return {
    debug: () => undefined,
    info: debug,
    warn: debug,
    error: debug,
    setLevel: () => undefined,
    getLevel: () => bolt.LogLevel.WARN,
    setName: () => undefined,
  };
}
