import { RemoteMessageId, type ChannelId, type Network } from "@trestle/core";
import { z } from "zod";
import { placeOf } from "../ids.js";
import { patiently, type Workspace } from "../link/index.js";
import type { People } from "../people/people.js";
import { remoteUserOf, userOf } from "../people/remote-user.js";

export interface MemberSyncParts {
  readonly network: Pick<Network, "log" | "receive" | "storage" | "ghostsIn">;
  readonly people: People;
  readonly mostMembers: number;
  readonly signal: AbortSignal;
}

const pageSchema = z.looseObject({
  members: z.array(z.string()).default([]),
  response_metadata: z.looseObject({ next_cursor: z.string().optional() }).optional(),
});
/** How far a list was read, should the process end in the middle. */
const progressSchema = z.object({ cursor: z.string(), members: z.array(z.string()) });
type Progress = z.output<typeof progressSchema>;

const pageSize = 200;

/**
 * Compares who is in a channel with whose ghosts are in its rooms, and tells of the differences alone. One channel after
 * the other, page by page; a list that was begun is gone on with after a restart.
 */
export class MemberSync {
  readonly #waiting = new Map<ChannelId, Workspace>();
  #running = false;

  constructor(readonly parts: MemberSyncParts) {}

  want(workspace: Workspace, channel: ChannelId): void {
    this.#waiting.set(channel, workspace);
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    const { network, signal } = this.parts;
    this.#running = true;
    for (let next = this.#next(); next && !signal.aborted; next = this.#next()) {
      const [channel, workspace] = next;
      try {
        await this.#compare(workspace, channel);
      } catch (error) {
        network.log.error({ err: error, channel }, "Who is in a channel could not be compared with its room");
      }
    }
    this.#running = false;
  }

  #isOver(): boolean {
    return this.parts.signal.aborted;
  }

  #next(): [ChannelId, Workspace] | undefined {
    const [next] = this.#waiting;
    if (next) this.#waiting.delete(next[0]);
    return next;
  }

  async #compare(workspace: Workspace, channel: ChannelId): Promise<void> {
    const { network, signal } = this.parts;
    const place = placeOf(channel);
    const members = place && (await this.#read(workspace, place.channel, channel));
    if (!members || this.#isOver()) return;
    const { inAll, inAny } = await network.ghostsIn(channel);
    const round = Date.now();
    for (const member of members) {
      if (member === workspace.installation.botUser) continue;
      if (inAll.has(remoteUserOf({ kind: "user", team: workspace.id, id: member }))) continue;
      if (this.#isOver()) return;
      const person = await patiently(signal, () => this.parts.people.find(workspace, member, { signal }));
      if (!person.ok || person.body.deleted || inAll.has(person.body.remote.id)) continue;
      const id = RemoteMessageId(`member:${round}:${member}`);
      await network.receive({ kind: "membership", id, channel, user: person.body.remote, change: "join" });
    }
    for (const remote of inAny) {
      const user = userOf(remote);
      if (!user || members.has(user.id)) continue;
      const id = RemoteMessageId(`member:${round}:${user.id}`);
      await network.receive({ kind: "membership", id, channel, user: { id: remote }, change: "leave" });
    }
  }

  /** `undefined` where the channel has too many, or Slack does not tell. */
  async #read(workspace: Workspace, slackChannel: string, channel: ChannelId): Promise<Set<string> | undefined> {
    const { network, mostMembers, signal } = this.parts;
    const key = `members:${channel}`;
    let progress = this.#progress(await network.storage.get(key));
    for (;;) {
      const page = await patiently(signal, () =>
        workspace.call({
          method: "conversations.members",
          arguments: {
            channel: slackChannel,
            limit: pageSize,
            ...(progress.cursor !== "" && { cursor: progress.cursor }),
          },
          answer: pageSchema,
          signal,
        }),
      );
      if (signal.aborted) return undefined;
      if (!page.ok) {
        await network.storage.delete(key);
        network.log.warn({ channel, reason: page.reason }, "Slack does not tell who is in a channel");
        return undefined;
      }
      const members = [...progress.members, ...page.body.members];
      const cursor = page.body.response_metadata?.next_cursor ?? "";
      if (cursor === "" || members.length > mostMembers) {
        await network.storage.delete(key);
        return members.length > mostMembers ? undefined : new Set(members);
      }
      progress = { cursor, members };
      await network.storage.set(key, JSON.stringify(progress));
    }
  }

  #progress(text: string | undefined): Progress {
    const parsed = text === undefined ? undefined : progressSchema.safeParse(JSON.parse(text));
    return parsed?.success === true ? parsed.data : { cursor: "", members: [] };
  }
}
