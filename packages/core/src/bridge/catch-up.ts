import { RemoteMessageId } from "../connector/ids.js";
import type { BridgeRuntime } from "./runtime.js";

/** Asks the network what was missed, whenever a connection is up again. One round at a time. */
export class CatchUp {
  #running = false;
  #again = false;

  constructor(readonly runtime: BridgeRuntime) {}

  start(): void {
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = true;
    void this.#round()
      .catch((error: unknown) => this.runtime.log.error({ err: error }, "What was missed could not be asked"))
      .finally(() => {
        this.#running = false;
        if (!this.#again) return;
        this.#again = false;
        this.start();
      });
  }

  async #round(): Promise<void> {
    const { runtime } = this;
    const { catchUp } = runtime.handlers;
    if (!catchUp) return;
    const channels = new Set((await runtime.links.all()).map((link) => link.channel));
    for (const id of channels) {
      const channel = await runtime.links.channel(id);
      try {
        await catchUp(id, channel?.cursor === undefined ? null : RemoteMessageId(channel.cursor));
      } catch (error) {
        runtime.log.warn(
          { err: error, channel: id },
          "What was missed in a channel could not be asked; asked again with the next connection",
        );
      }
    }
  }
}
