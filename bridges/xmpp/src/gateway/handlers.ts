import { refused, type EffectBase, type MessageEffect, type NetworkHandlers, type Outcome } from "@trestle/core";
import type { Gateway } from "./gateway.js";
import type { Told } from "./told.js";

/** What rooms take, our own and those of others. */
interface Everything {
  readonly media: true;
  readonly location: true;
  readonly replies: true;
}

/** The handlers of the bridge with those of the gateway's rooms: which of the two is called is decided by the channel. */
export function withGateway(base: NetworkHandlers<Everything>, gateway: Gateway): NetworkHandlers<Everything> {
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
  return {
    ...base,
    // A room of ours says a message in one go, in however many stanzas.
    split: (message) => (gateway.owns(message.channel) ? [0] : (base.split?.(message) ?? [0])),
    message: either(
      (told, effect: MessageEffect) => told.message(effect),
      (effect) => base.message(effect),
    ),
    findSent: async (effect) =>
      gateway.owns(effect.channel)
        ? (gateway.get(effect.channel)?.told.findSent(effect) ?? null)
        : ((await base.findSent?.(effect)) ?? null),
    edit: either((told, effect) => told.edit(effect), base.edit),
    redact: either((told, effect) => told.redact(effect), base.redact),
    react: either((told, effect) => told.react(effect), base.react),
    unreact: either((told, effect) => told.unreact(effect), base.unreact),
    topic: either((told, effect) => told.topic(effect), base.topic),
    name: either((told, effect) => told.name(effect), base.name),
    membership: either((told, effect) => told.membership(effect), base.membership),
    role: either((told) => told.changed(), base.role),
    settings: either((told) => told.changed(), base.settings),
    typing: async (signal) => {
      if (gateway.owns(signal.channel)) gateway.get(signal.channel)?.told.typing(signal);
      else await base.typing?.(signal);
    },
    receipt: async (signal) => {
      if (!gateway.owns(signal.channel)) await base.receipt?.(signal);
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
