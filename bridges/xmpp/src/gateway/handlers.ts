import {
  fitContent,
  refused,
  type Content,
  type EffectBase,
  type MessageEffect,
  type NetworkHandlers,
  type Outcome,
  type TextContent,
  type TextOnly,
} from "@trestle/core";
import type { Gateway } from "./gateway.js";
import type { Told } from "./told.js";

/**
 * The handlers of the bridge with those of the gateway's rooms: which of the two is called is decided by the channel. What
 * rooms of others are given is fitted to what they take.
 */
export function withGateway(base: NetworkHandlers<TextOnly>, gateway: Gateway): NetworkHandlers {
  type Handler<Effect> = ((effect: Effect) => Promise<Outcome>) | undefined;
  const either =
    <Effect extends EffectBase>(
      act: (told: Told, effect: Effect) => Outcome | Promise<Outcome>,
      other: Handler<Effect>,
    ) =>
    (effect: Effect): Promise<Outcome> => {
      if (!gateway.owns(effect.channel)) return other?.(effect) ?? Promise.resolve(undefined);
      const room = gateway.get(effect.channel);
      return Promise.resolve(room ? act(room.told, effect) : refused(`${effect.channel} is not linked any more`));
    };
  const { split: _, ...others } = base;
  return {
    ...others,
    limits: { ...base.limits, media: true, location: true, replies: true },
    message: either(
      (told, effect: MessageEffect) => told.message(effect),
      (effect) => base.message(fitted(base, effect)),
    ),
    findSent: async (effect) =>
      gateway.owns(effect.channel)
        ? (gateway.get(effect.channel)?.told.findSent(effect) ?? null)
        : ((await base.findSent?.(fitted(base, effect))) ?? null),
    edit: either((told, effect) => told.edit(effect), base.edit),
    redact: either((told, effect) => told.redact(effect), base.redact),
    react: either((told, effect) => told.react(effect), base.react),
    unreact: either((told, effect) => told.unreact(effect), base.unreact),
    topic: either((told, effect) => told.topic(effect), base.topic),
    name: either((told, effect) => told.name(effect), base.name),
    membership: either((told, effect) => told.membership(effect), base.membership),
    typing: async (signal) => {
      if (gateway.owns(signal.channel)) gateway.get(signal.channel)?.told.typing(signal);
      else await base.typing?.(signal);
    },
    catchUp: async (channel, cursor) => {
      if (!gateway.owns(channel)) await base.catchUp?.(channel, cursor);
    },
    linked: async (link) => {
      if (gateway.owns(link.channel)) gateway.add(link);
      else await base.linked?.(link);
    },
    unlinked: async (link) => {
      if (gateway.owns(link.channel)) await gateway.remove(link);
      else await base.unlinked?.(link);
    },
    resolveChannel: async (text, room) =>
      (await gateway.resolve(text, room)) ?? (await base.resolveChannel?.(text, room)) ?? null,
    close: async () => {
      await gateway.close();
      await base.close?.();
    },
  };
}

/** What a network that takes text alone is given. */
function fitted({ limits = {} }: NetworkHandlers<TextOnly>, effect: MessageEffect): MessageEffect<TextContent> {
  const { textBytes: _, ...kinds } = limits;
  const [content] = fitContent(effect.content, kinds, effect.replyTo);
  return { ...effect, content: asText(content ?? effect.content) };
}

function asText(content: Content): TextContent {
  if (content.type === "text") return content;
  throw new TypeError("Something else than text was to be sent to a room that takes text alone.");
}
