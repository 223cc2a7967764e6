import {
  type ChannelId,
  type ReactionReceived,
  type ReactionRemoved,
  type RedactionReceived,
  RemoteMessageId,
  type RemoteUser,
} from "@trestle/core";
import type { IrcMessage } from "../../wire/message.js";
import { reactionOf, replyTargetOf } from "../../wire/reaction.js";
import { withoutCodes } from "../../wire/formatting-codes.js";

/** What every event has. */
export interface Caused {
  readonly id: RemoteMessageId;
  readonly channel: ChannelId;
  readonly at?: number;
}

/** What a TAGMSG says of another message; `undefined` for anything but a reaction, e.g. that somebody is typing. */
export function reactionEvent(
  { tags }: IrcMessage,
  caused: Caused,
  sender: RemoteUser,
): ReactionReceived | ReactionRemoved | undefined {
  const reaction = reactionOf(tags);
  if (!reaction) return undefined;
  const { change, key } = reaction;
  const target = RemoteMessageId(reaction.target);
  return { kind: change === "react" ? "reaction" : "reactionRemoved", ...caused, sender, target, key };
}

/** `REDACT <target> <msgid> [:reason]`, by a person or by the server itself. IRCv3 message-redaction. */
export function redactionEvent(
  { params }: IrcMessage,
  caused: Caused,
  sender: RemoteUser | undefined,
): RedactionReceived | undefined {
  const [, target = "", reason = ""] = params;
  if (target === "") return undefined;
  return {
    kind: "redaction",
    ...caused,
    target: RemoteMessageId(target),
    ...(sender && { sender }),
    ...(reason === "" ? {} : { reason: withoutCodes(reason) }),
  };
}

/** The message that a message answers. */
export function answered({ tags }: IrcMessage): { readonly replyTo?: RemoteMessageId } {
  const target = replyTargetOf(tags);
  return target === undefined ? {} : { replyTo: RemoteMessageId(target) };
}
