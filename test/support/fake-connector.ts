import {
  ChannelId,
  defineConnector,
  RemoteMessageId,
  RemoteUserId,
  retry,
  type Connector,
  type MessageEffect,
  type Network,
  type NetworkHandlers,
  type Outcome,
  type ReceiptSignal,
  type TypingSignal,
} from "@trestle/core";
import { richTextOf, toPlainText } from "@trestle/rich-text";
import { z } from "zod";

export interface TakenMessage {
  readonly channel: string;
  readonly effect: string;
  readonly text: string;
  readonly attempt: number;
}

/**
 * What becomes of one attempt: `take` delivers it; `takeAndFail` delivers it but the answer says that this is not known;
 * an outcome is answered as it is, and nothing is delivered. `hang` does nothing and never answers; `takeAndHang` delivers.
 */
export type Reaction =
  "take" | "takeAndFail" | { readonly answer: Outcome } | { readonly throws: Error } | "hang" | "takeAndHang";

export interface FakeNetworkOptions {
  /** More handlers than those for messages, typing and receipts. */
  readonly handlers?: Partial<NetworkHandlers>;
  /** Whether it can be asked what it has. `true` where absent. */
  readonly canBeAsked?: boolean;
  /** Called while the connector connects, as soon as it has its port to the core. */
  readonly onConnect?: () => void;
  /** What it still has to wait for when it is connected already. */
  readonly beforeReady?: () => Promise<void>;
}

/** A chat network in this process: it remembers what it was given, and behaves as badly as a test wants. */
export class FakeNetwork {
  /** Everything that reached the network, in order. */
  readonly taken: TakenMessage[] = [];
  /** Every attempt, in order, whatever became of it. */
  readonly attempts: { readonly channel: string; readonly text: string; readonly maybeSent: boolean }[] = [];
  readonly typing: TypingSignal[] = [];
  readonly receipts: ReceiptSignal[] = [];
  /** An outage: every attempt answers `retry`. */
  down = false;
  /** Decides about single attempts. */
  react: (effect: MessageEffect, text: string) => Reaction = () => "take";
  readonly connector: Connector;
  #network: Network | undefined;
  #messages = 0;

  constructor(options: FakeNetworkOptions = {}) {
    const findSent = (effect: MessageEffect) => {
      if (this.down) return Promise.reject(new Error("the network is down"));
      const found = this.taken.find((message) => message.effect === effect.effect);
      return Promise.resolve(found ? { id: RemoteMessageId(found.effect) } : null);
    };
    this.connector = defineConnector({
      network: "fake",
      config: z.strictObject({}),
      connect: async ({ network }): Promise<NetworkHandlers> => {
        this.#network = network;
        options.onConnect?.();
        network.report({ connection: "fake", state: "connected" });
        await options.beforeReady?.();
        return {
          message: (effect) => this.#message(effect),
          ...(options.canBeAsked !== false && { findSent }),
          typing: (signal) => {
            this.typing.push(signal);
            return Promise.resolve();
          },
          receipt: (signal) => {
            this.receipts.push(signal);
            return Promise.resolve();
          },
          ...options.handlers,
        };
      },
    });
  }

  /** Somebody on the network says something; resolves when the core has it on disk. */
  async say(channel: string, sender: string, text: string, id = `said${++this.#messages}`): Promise<void> {
    await this.port.receive({
      kind: "message",
      id: RemoteMessageId(id),
      channel: ChannelId(channel),
      sender: { id: RemoteUserId(sender), name: sender },
      content: { type: "text", style: "text", body: richTextOf(text) },
    });
  }

  /** The outage is over. */
  comeBack(): void {
    this.down = false;
    this.port.report({ connection: "fake", state: "connecting" });
    this.port.report({ connection: "fake", state: "connected" });
  }

  /** What the core does for the connector. */
  get port(): Network {
    if (!this.#network) throw new Error("The fake network is not connected");
    return this.#network;
  }

  async #message(effect: MessageEffect): Promise<Outcome> {
    const { content, channel, maybeSent } = effect;
    const text = content.type === "text" ? toPlainText(content.body) : content.type;
    this.attempts.push({ channel, text, maybeSent });
    if (this.down) return retry("the network is down");
    const reaction = this.react(effect, text);
    if (typeof reaction === "object") {
      if ("throws" in reaction) throw reaction.throws;
      return reaction.answer;
    }
    if (reaction === "takeAndHang") this.taken.push({ channel, effect: effect.effect, text, attempt: effect.attempt });
    if (reaction === "hang" || reaction === "takeAndHang") {
      await new Promise((resolve) => effect.signal.addEventListener("abort", resolve, { once: true }));
      // What comes after the core has given up must not count.
      return { id: RemoteMessageId("too late") };
    }
    this.taken.push({ channel, effect: effect.effect, text, attempt: effect.attempt });
    if (reaction === "takeAndFail")
      return { failed: "uncertain", reason: "the connection broke off after the message" };
    return { id: RemoteMessageId(effect.effect) };
  }
}
