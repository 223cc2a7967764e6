import type { Logger } from "@trestle/core";
import { LogLevel, WebClient, type Logger as SlackLogger } from "@slack/web-api";
import type { z } from "zod";
import { limitOf, onlyReads, type HistoryProfile } from "./methods.js";
import type { Pace, Pacer } from "./pacer.js";
import { never, notYet, perhaps, type SlackResult } from "./result.js";
import { thrownBy } from "./thrown.js";
import type { Transport } from "./transport.js";

export interface SlackApiOptions {
  readonly url: string;
  readonly timeoutMs: number;
  readonly history: HistoryProfile;
  readonly pacer: Pacer;
  readonly transport: Transport;
  readonly log: Logger;
  /** Told of every request that was made. */
  readonly observe?: (exchange: ApiExchange) => void;
}

/** A request that was made. */
export interface ApiExchange {
  readonly method: string;
  /** `ok`, Slack's error code, or how it failed where there is none. */
  readonly outcome: string;
  readonly ms: number;
  /** How long Slack wants no such request. */
  readonly limitedForMs?: number;
}

export interface SlackRequest<Schema extends z.ZodType> {
  /** Whose budget it is: a workspace's id, or what stands for one. */
  readonly team: string;
  /** Left out where the method wants none. */
  readonly token?: string;
  readonly method: string;
  readonly arguments?: Readonly<Record<string, unknown>>;
  /** What of the answer is used. An answer without it counts as none. */
  readonly answer: Schema;
  readonly signal?: AbortSignal;
}

/**
 * Slack's Web API with every outcome a value. Requests keep to Slack's limits before Slack has to say so; what it asks
 * for holds up that method alone, and that channel alone where the limit is a channel's. Nothing is repeated here.
 */
export class SlackApi {
  readonly #logger: SlackLogger;

  constructor(readonly options: SlackApiOptions) {
    this.#logger = quiet(options.log);
  }

  async call<Schema extends z.ZodType>(request: SlackRequest<Schema>): Promise<SlackResult<z.output<Schema>>> {
    const { method, signal } = request;
    const paces = this.#pacesOf(request);
    try {
      const wait = await this.options.pacer.take(paces, signal);
      if (wait > 0) return notYet(`Slack takes no more ${method} for ${seconds(wait)}`, wait, "ratelimited");
    } catch {
      return notYet(`${method} was given up before it was sent`);
    }
    const start = performance.now();
    const result = await this.#send(request, paces);
    const outcome = result.ok ? "ok" : (result.code ?? result.failed);
    const limitedForMs = !result.ok && result.code === "ratelimited" ? result.afterMs : undefined;
    this.options.observe?.({
      method,
      outcome,
      ms: performance.now() - start,
      ...(limitedForMs !== undefined && { limitedForMs }),
    });
    return result;
  }

  async #send<Schema extends z.ZodType>(
    request: SlackRequest<Schema>,
    paces: readonly Pace[],
  ): Promise<SlackResult<z.output<Schema>>> {
    const { method, token, signal } = request;
    // One client a request: it keeps nothing between two but a queue that one 429 would stop for all channels, and two
    // clients that are given one headers object use the first one's token.
    const client = new WebClient(token, {
      slackApiUrl: this.options.url,
      allowAbsoluteUrls: false,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      timeout: this.options.timeoutMs,
      fetch: this.options.transport.fetch(signal),
      headers: {},
      logger: this.#logger,
    });
    try {
      const body: unknown = await client.apiCall(method, { ...request.arguments });
      const parsed = request.answer.safeParse(body);
      if (parsed.success) return { ok: true, body: parsed.data };
      const [issue] = parsed.error.issues;
      const what = `Slack's answer to ${method} is not as documented: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`;
      return onlyReads(method) ? never(what, "unexpected_answer") : perhaps(what, "unexpected_answer");
    } catch (error) {
      const thrown = thrownBy(method, error);
      if ("failure" in thrown) return thrown.failure;
      const [pace] = paces;
      const pause = pace ? this.options.pacer.block(pace, thrown.limitedForMs) : thrown.limitedForMs;
      return notYet(`Slack takes no more ${method} for ${seconds(pause)}`, pause, "ratelimited");
    }
  }

  /** The first is the one that a 429 of the method is about. */
  #pacesOf({ team, method, arguments: sent }: SlackRequest<z.ZodType>): readonly Pace[] {
    const { perMinute, perChannel = false, burst = Math.max(1, perMinute / 5) } = limitOf(method, this.options.history);
    const channel = perChannel ? sent?.["channel"] : undefined;
    const key = typeof channel === "string" ? `${team} ${method} ${channel}` : `${team} ${method}`;
    return [{ key, perMinute, burst }];
  }
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1_000)} s`;
}

/** What the client logs may hold what people wrote: shown only where debugging is asked for. */
function quiet(log: Logger): SlackLogger {
  const debug = (...messages: unknown[]): void => log.debug({ slack: messages.map(String).join(" ").slice(0, 500) });
  return {
    debug: () => undefined,
    info: debug,
    warn: debug,
    error: debug,
    setLevel: () => undefined,
    getLevel: () => LogLevel.WARN,
    setName: () => undefined,
  };
}
