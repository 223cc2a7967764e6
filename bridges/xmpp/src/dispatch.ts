import {
  refused,
  type Author,
  type ChannelId,
  type EffectBase,
  type NetworkHandlers,
  type Outcome,
} from "@trestle/core";
import { limits, type BridgePart, type PartHandlers } from "./bridge-part.js";

/**
 * The handlers of the bridge: each channel's part is called. The first part that owns a channel has it. `note` is told of
 * every Matrix user who does something.
 */
export function dispatch(
  parts: readonly BridgePart[],
  note: (author: Author) => void,
): NetworkHandlers<typeof limits> & PartHandlers {
  const of = (channel: ChannelId): PartHandlers | undefined => parts.find((part) => part.owns(channel))?.handlers;
  const to =
    <Effect extends EffectBase>(pick: (told: PartHandlers) => ((effect: Effect) => Promise<Outcome>) | undefined) =>
    async (effect: Effect): Promise<Outcome> => {
      const told = of(effect.channel);
      note(effect.author);
      return told ? pick(told)?.(effect) : refused(`${effect.channel} is no address of XMPP that can be reached`);
    };
  return {
    limits,
    split: (message) => of(message.channel)?.split?.(message) ?? [0],
    message: to(({ message }) => message),
    findSent: async (effect) => (await of(effect.channel)?.findSent?.(effect)) ?? null,
    edit: to(({ edit }) => edit),
    redact: to(({ redact }) => redact),
    react: to(({ react }) => react),
    unreact: to(({ unreact }) => unreact),
    topic: to(({ topic }) => topic),
    name: to(({ name }) => name),
    picture: to(({ picture }) => picture),
    invite: to(({ invite }) => invite),
    membership: to(({ membership }) => membership),
    role: to(({ role }) => role),
    settings: to(({ settings }) => settings),
    typing: async (signal) => of(signal.channel)?.typing?.(signal),
    receipt: async (signal) => of(signal.channel)?.receipt?.(signal),
    catchUp: async (channel, cursor) => of(channel)?.catchUp?.(channel, cursor),
    linked: async (link) => of(link.channel)?.linked?.(link),
    unlinked: async (link) => of(link.channel)?.unlinked?.(link),
  };
}
