import { RemoteMessageId, type ChannelId, type Network } from "@trestle/core";
import { z } from "zod";
import { placeOf } from "../ids.js";
import { patiently, type Workspace } from "../link/index.js";

const listSchema = z.looseObject({
  items: z.array(z.looseObject({ message: z.looseObject({ ts: z.string() }).optional() })).default([]),
});
/** What was pinned when that was last told, how often it was told, and of what the room may have been told otherwise. */
const keptSchema = z.object({ round: z.number(), pins: z.array(z.string()), unsure: z.array(z.string()).default([]) });
type Kept = z.output<typeof keptSchema>;

/** Keeps what is pinned in linked channels, so that what changed while the bridge was away shows. */
export class PinSync {
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    readonly network: Pick<Network, "log" | "receive" | "storage">,
    readonly signal: AbortSignal,
  ) {}

  /** Asks Slack what is pinned, and tells of what is different. */
  async compare(workspace: Workspace, id: ChannelId): Promise<void> {
    const channel = placeOf(id)?.channel;
    const { signal } = this;
    const request = { method: "pins.list", arguments: { channel }, answer: listSchema, signal };
    const result = await patiently(signal, () => workspace.call(request));
    if (!result.ok) {
      this.network.log.info({ channel: id, reason: result.reason }, "Slack does not tell what is pinned in a channel");
      return;
    }
    const now = new Set(result.body.items.flatMap(({ message }) => (message ? [message.ts] : [])));
    await this.#alone(() => this.#tell(id, now));
  }

  /** An event has told of it. */
  async changed(id: ChannelId, ts: string, pinned: boolean): Promise<void> {
    await this.#alone(async () => {
      const kept = await this.#get(id);
      if (!kept) return;
      const others = kept.pins.filter((pin) => pin !== ts);
      await this.#set(id, { ...kept, pins: pinned ? [...others, ts] : others });
    });
  }

  async forget(id: ChannelId): Promise<void> {
    await this.#alone(() => this.network.storage.delete(keyOf(id)));
  }

  async #tell(id: ChannelId, now: ReadonlySet<string>): Promise<void> {
    const kept = await this.#get(id);
    const before = new Set(kept?.pins ?? now);
    const isOther = (ts: string): boolean => before.has(ts) !== now.has(ts);
    const changes = [...new Set([...[...before, ...now].filter(isOther), ...(kept?.unsure ?? [])])];
    const round = (kept?.round ?? 0) + 1;
    // Should the process end in the middle, nobody knows how much of it was told.
    if (changes.length > 0) await this.#set(id, { round, pins: [...before], unsure: changes });
    for (const ts of changes) {
      await this.network.receive({
        kind: "channel",
        id: RemoteMessageId(`pins:${round}:${ts}`),
        channel: id,
        pin: { message: RemoteMessageId(ts), pinned: now.has(ts) },
      });
    }
    await this.#set(id, { round, pins: [...now], unsure: [] });
  }

  async #get(id: ChannelId): Promise<Kept | undefined> {
    const text = await this.network.storage.get(keyOf(id));
    const parsed = text === undefined ? undefined : keptSchema.safeParse(JSON.parse(text));
    return parsed?.success === true ? parsed.data : undefined;
  }

  #set(id: ChannelId, kept: Kept): Promise<void> {
    return this.network.storage.set(keyOf(id), JSON.stringify(kept));
  }

  /** One change after the other. */
  #alone(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

function keyOf(id: ChannelId): string {
  return `pins:${id}`;
}
