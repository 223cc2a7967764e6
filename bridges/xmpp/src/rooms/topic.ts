import { createHash } from "node:crypto";
import { parseJson, RemoteMessageId, type ChannelChanged, type Network } from "@trestle/core";
import { z } from "zod";

const storedSchema = z.object({ text: z.string(), changes: z.number() });

/**
 * The subject of a room as Matrix was last told of it: a room tells it anew to everybody who enters, under no id.
 */
export class Topic {
  #known: z.output<typeof storedSchema> | undefined;

  constructor(
    private readonly network: Network,
    private readonly key: string,
  ) {}

  async load(): Promise<void> {
    const stored = await this.network.storage.get(this.key);
    const parsed = stored === undefined ? undefined : parseJson(stored, storedSchema);
    this.#known = parsed ?? undefined;
  }

  /** Whether the room is known to have this subject. */
  is(text: string): boolean {
    return text === (this.#known?.text ?? "");
  }

  async forget(): Promise<void> {
    await this.network.storage.delete(this.key);
  }

  /** `event` makes the event of it; `undefined` where the bridge itself has set it. */
  changed(
    text: string,
    event: ((event: Omit<ChannelChanged, "channel">) => ChannelChanged) | undefined,
  ): Promise<void> | undefined {
    if (this.is(text)) return undefined;
    const next = { text, changes: (this.#known?.changes ?? 0) + 1 };
    this.#known = next;
    return this.#tell(next, event);
  }

  async #tell(
    { text, changes }: z.output<typeof storedSchema>,
    event: ((event: Omit<ChannelChanged, "channel">) => ChannelChanged) | undefined,
  ): Promise<void> {
    const { network, key } = this;
    if (event) {
      const digest = createHash("sha256").update(text).digest("base64url").slice(0, 16);
      await network.receive(event({ kind: "channel", id: RemoteMessageId(`topic:${changes}:${digest}`), topic: text }));
    }
    await network.storage.set(key, JSON.stringify({ text: text.slice(0, 10_000), changes }));
  }
}
