import { refused, type ConnectorStorage, type Outcome, type ReactEffect } from "@trestle/core";
import { z } from "zod";
import { reactionNameOf } from "../emoji/index.js";
import type { SlackResult, Workspace } from "../link/index.js";
import { tsOfPart } from "../inward/messages.js";
import type { OwnChanges } from "./own-changes.js";

const doneSchema = z.looseObject({});
const usersSchema = z.array(z.string());

/** Through whom a reaction is made. */
export interface Reactor {
  readonly workspace: Workspace;
  /** Who it is in Slack. */
  readonly user: string;
  /** Several Matrix users share it: Slack knows one reaction of it with each emoji. */
  readonly shared: boolean;
}

/** Reactions of Matrix users. Those through the relay are one in Slack, which goes when the last of them is taken back. */
export class OutwardReactions {
  constructor(
    readonly storage: ConnectorStorage,
    readonly own: OwnChanges,
  ) {}

  async react({ workspace, user, shared }: Reactor, channel: string, effect: ReactEffect): Promise<Outcome> {
    const name = reactionNameOf(effect.key);
    if (name === undefined) return refused(`Slack has no emoji ${effect.key.slice(0, 50)} to react with.`);
    const ts = tsOfPart(effect.target);
    if (shared) {
      const key = keyOf(channel, ts, name);
      const users = new Set(await this.#users(key));
      const isFirst = users.size === 0;
      users.add(effect.author.userId);
      await this.storage.set(key, JSON.stringify([...users]));
      if (!isFirst && effect.attempt === 1 && !effect.maybeSent) return {};
    }
    await this.own.expect({ kind: "added", channel, ts, user, what: name });
    return outcomeOf(await this.#call(workspace, "reactions.add", channel, ts, name), "already_reacted");
  }

  async unreact({ workspace, user, shared }: Reactor, channel: string, effect: ReactEffect): Promise<Outcome> {
    const name = reactionNameOf(effect.key);
    if (name === undefined) return {};
    const ts = tsOfPart(effect.target);
    const key = keyOf(channel, ts, name);
    if (shared) {
      const users = new Set(await this.#users(key));
      users.delete(effect.author.userId);
      if (users.size > 0) {
        await this.storage.set(key, JSON.stringify([...users]));
        return {};
      }
    }
    await this.own.expect({ kind: "removed", channel, ts, user, what: name });
    const outcome = outcomeOf(await this.#call(workspace, "reactions.remove", channel, ts, name), "no_reaction");
    if (shared && !(outcome && "failed" in outcome)) await this.storage.delete(key);
    return outcome;
  }

  #call(
    workspace: Workspace,
    method: string,
    channel: string,
    ts: string,
    name: string,
  ): Promise<SlackResult<unknown>> {
    return workspace.call({ method, arguments: { channel, timestamp: ts, name }, answer: doneSchema });
  }

  async #users(key: string): Promise<readonly string[]> {
    const text = await this.storage.get(key);
    return text === undefined ? [] : usersSchema.parse(JSON.parse(text));
  }
}

function keyOf(channel: string, ts: string, name: string): string {
  return `reaction:${channel}:${ts}:${name}`;
}

/** That it is so already is as good. */
function outcomeOf(result: SlackResult<unknown>, asGood: string): Outcome {
  return result.ok || result.code === asGood || result.code === "message_not_found" ? {} : result;
}
