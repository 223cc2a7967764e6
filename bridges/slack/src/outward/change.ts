import type { Outcome } from "@trestle/core";
import { z } from "zod";
import { tsAt, timeOf, type Installations, type SlackResult, type Workspace } from "../link/index.js";
import type { Accounts } from "../people/accounts/index.js";
import { notThere } from "./entering.js";
import type { OwnChanges } from "./own-changes.js";
import type { Speaker } from "./speaker.js";
import type { WireText } from "./wire.js";

export interface ChangeParts {
  readonly accounts: Accounts;
  readonly installations: Installations;
  readonly own: OwnChanges;
}

const doneSchema = z.looseObject({});
const historySchema = z.looseObject({
  messages: z.array(z.looseObject({ ts: z.string(), user: z.string().optional() })).default([]),
});

/** Slack lets nobody change what another wrote, nor what is said where they are not: then whoever posted it does. */
const notTheirs: ReadonlySet<string> = new Set(["cant_update_message", "cant_delete_message", ...notThere]);
/** What is gone need not be changed any more. */
const gone = "message_not_found";

type Through = (workspace: Workspace) => Promise<SlackResult<unknown>>;

/**
 * Corrects and deletes messages. A message may have been posted before its author signed in, or after, or by somebody
 * else who signed in: it is changed through whoever posted it, as far as the bridge may speak for them.
 */
export class ChangeMessages {
  constructor(readonly parts: ChangeParts) {}

  async update(speaker: Speaker, ts: string, { text, blocks }: WireText, signal: AbortSignal): Promise<Outcome> {
    const { channel } = speaker;
    await this.parts.own.expect({ kind: "edit", channel, ts, what: text });
    return this.#change(speaker, ts, signal, (workspace) =>
      workspace.call({
        method: "chat.update",
        arguments: { channel, ts, text, blocks },
        answer: doneSchema,
        signal,
      }),
    );
  }

  async delete(speaker: Speaker, ts: string, signal: AbortSignal): Promise<Outcome> {
    const { channel } = speaker;
    return this.#change(speaker, ts, signal, (workspace) =>
      workspace.call({ method: "chat.delete", arguments: { channel, ts }, answer: doneSchema, signal }),
    );
  }

  async #change(speaker: Speaker, ts: string, signal: AbortSignal, through: Through): Promise<Outcome> {
    const first = await through(speaker.workspace);
    if (first.ok || first.code === gone) return {};
    if (!notTheirs.has(first.code ?? "")) return first;
    const other = await this.#poster(speaker, ts, signal);
    if (!other) return first;
    const second = await through(other);
    return second.ok || second.code === gone ? {} : second;
  }

  /** Who posted a message, where it is another one for whom the bridge may speak: the app, or somebody who signed in. */
  async #poster(
    { workspace, channel, user }: Speaker,
    ts: string,
    signal: AbortSignal,
  ): Promise<Workspace | undefined> {
    const { accounts, installations } = this.parts;
    const found = await workspace.call({
      method: "conversations.replies",
      arguments: { channel, ts, latest: ts, oldest: tsAt(timeOf(ts) - 1), inclusive: true, limit: 1 },
      answer: historySchema,
      signal,
    });
    const message = found.ok ? found.body.messages.find((each) => each.ts === ts) : undefined;
    const account = message?.user === undefined ? undefined : accounts.ofSlackUser(workspace.id, message.user);
    const other = account ? accounts.workspaceOf(account) : installations.get(workspace.id);
    const otherUser = account?.user ?? other?.installation.botUser;
    return otherUser === user ? undefined : other;
  }
}
