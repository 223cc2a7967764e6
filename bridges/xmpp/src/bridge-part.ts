import type { ChannelId, NetworkHandlers } from "@trestle/core";
import type { StanzaTaker } from "./stanza-taker.js";

/** What every channel takes; how a long text is cut is the bridge's own. */
export const limits = { media: true, location: true, replies: true } as const;

type Handlers = NetworkHandlers<typeof limits>;

/** What channels of one kind are told: the handlers of the connector API that concern one channel. */
export type PartHandlers = Pick<
  Handlers,
  | "split"
  | "message"
  | "findSent"
  | "edit"
  | "redact"
  | "react"
  | "unreact"
  | "topic"
  | "name"
  | "picture"
  | "membership"
  | "invite"
  | "role"
  | "settings"
  | "typing"
  | "receipt"
  | "catchUp"
  | "linked"
  | "unlinked"
>;

/** A part of the bridge that has channels of its own kind. */
export interface BridgePart extends StanzaTaker {
  readonly handlers: PartHandlers;
  /** Whether a channel is of its kind, linked or not. */
  owns(channel: ChannelId): boolean;
  /** The stream is up. */
  online(): void;
  /** The stream is down; it may have been before. */
  lost(): void;
  /** The bridge stops: everybody of ours leaves. What the server gave out before it knew may still come. */
  close(): Promise<void>;
}
