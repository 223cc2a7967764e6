import type { ConnectorMetrics } from "@trestle/core";
import { stanzaErrorOf, type Element, type StreamState } from "./stream/index.js";

/** What the bridge tells of itself on `GET /metrics`; docs/metrics-xmpp.md lists it. */
export class XmppMetrics {
  readonly #stanzas;
  readonly #connections;
  readonly #errors;
  readonly #caughtUp;
  readonly #pictures;
  #state: StreamState["state"] = "closed";

  constructor(metrics: ConnectorMetrics) {
    this.#stanzas = metrics.counter(
      "stanzas_total",
      "Stanzas over the component's connection; in: from the XMPP server, out: to it",
      { direction: ["in", "out"], kind: ["message", "presence", "iq"] },
    );
    this.#connections = metrics.counter(
      "connections_total",
      "Connections to the XMPP server: opened, lost, attempts that failed, and refusals that need somebody to act",
      { outcome: ["opened", "lost", "failed", "refused"] },
    );
    this.#errors = metrics.counter(
      "errors_total",
      "Messages and presences that came back as errors, by the condition of RFC 6120 §8.3.3",
      { kind: ["message", "presence"], condition: 30 },
    );
    this.#caughtUp = metrics.counter(
      "archived_messages_total",
      "Messages that were read from the archives of rooms because they may have been missed",
    );
    this.#pictures = metrics.counter(
      "room_pictures_total",
      "Changes of the pictures of rooms that are linked; in: told to Matrix, out: set in the room for Matrix",
      { direction: ["in", "out"] },
    );
  }

  stanza(direction: "in" | "out", stanza: Element): void {
    const { name, attrs } = stanza;
    this.#stanzas.add({ direction, kind: name });
    if (direction === "in" && attrs["type"] === "error" && name !== "iq")
      this.#errors.add({ kind: name, condition: stanzaErrorOf(stanza).condition });
  }

  stream({ state }: StreamState): void {
    const before = this.#state;
    this.#state = state;
    if (state === "online") this.#connections.add({ outcome: "opened" });
    else if (state === "failed") this.#connections.add({ outcome: "refused" });
    else if (state === "waiting") this.#connections.add({ outcome: before === "online" ? "lost" : "failed" });
  }

  roomPicture(direction: "in" | "out"): void {
    this.#pictures.add({ direction });
  }

  caughtUp(messages: number): void {
    this.#caughtUp.add({}, messages);
  }
}
