import type { z } from "zod";
import { deadTokenCodes, expiredTokenCodes } from "../api/refusals.js";
import type { SlackResult } from "../api/result.js";
import type { SlackApi, SlackRequest } from "../api/slack-api.js";
import type { Installation } from "./installation.js";
import type { RotatingToken } from "./rotation.js";

export interface WorkspaceEvents {
  /** Slack refused the token, for good as it seems. */
  readonly refused: (code: string) => void;
  /** Slack took the token. */
  readonly accepted: () => void;
}

/** What a request within a workspace says. */
export type WorkspaceRequest<Schema extends z.ZodType> = Omit<SlackRequest<Schema>, "team" | "token">;

/** One workspace, as the bot there sees it. */
export class Workspace {
  constructor(
    readonly installation: Installation,
    readonly api: SlackApi,
    readonly token: RotatingToken,
    readonly events: WorkspaceEvents,
  ) {}

  get id(): string {
    return this.installation.id;
  }

  /** Whether the bot wrote a message: it comes back as an event too. */
  isOwn(message: { readonly bot_id?: unknown; readonly user?: unknown; readonly app_id?: unknown }): boolean {
    const { bot, botUser, appId } = this.installation;
    return (
      (bot !== undefined && message.bot_id === bot) ||
      message.user === botUser ||
      (appId !== undefined && message.bot_id != null && message.app_id === appId)
    );
  }

  /** Calls a method as the bot. Every outcome is a value; a token that has just ended is renewed first. */
  async call<Schema extends z.ZodType>(request: WorkspaceRequest<Schema>): Promise<SlackResult<z.output<Schema>>> {
    const token = await this.token.current();
    if (!token.ok) {
      this.#judge(token);
      return token;
    }
    const result = await this.#callWith(request, token.body);
    if (result.ok || !expiredTokenCodes.has(result.code ?? "")) return result;
    const renewed = await this.token.renew(token.body);
    return renewed.ok ? this.#callWith(request, renewed.body) : renewed;
  }

  async #callWith<Schema extends z.ZodType>(
    request: WorkspaceRequest<Schema>,
    token: string,
  ): Promise<SlackResult<z.output<Schema>>> {
    const result = await this.api.call({ ...request, team: this.id, token });
    this.#judge(result);
    return result;
  }

  #judge(result: SlackResult<unknown>): void {
    if (result.ok) this.events.accepted();
    else if (result.code !== undefined && (deadTokenCodes.has(result.code) || expiredTokenCodes.has(result.code)))
      this.events.refused(result.code);
  }
}
