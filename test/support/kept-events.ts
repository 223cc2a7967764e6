import type { NetworkEvent } from "@trestle/core";

/** What a connector has told, kept in memory as the core keeps it: nothing of one kind twice. */
export class KeptEvents {
  readonly received: NetworkEvent[] = [];
  /** How often an event came that was there already. */
  repetitions = 0;
  readonly #ids = new Set<string>();

  messages(channel?: string): Extract<NetworkEvent, { kind: "message" }>[] {
    return this.received
      .filter((event) => event.kind === "message")
      .filter((event) => channel === undefined || event.channel === channel);
  }

  protected keep(event: NetworkEvent): void {
    const id = `${event.channel}\n${event.kind}\n${event.id}`;
    if (this.#ids.has(id)) {
      this.repetitions++;
      return;
    }
    this.#ids.add(id);
    this.received.push(event);
  }
}
