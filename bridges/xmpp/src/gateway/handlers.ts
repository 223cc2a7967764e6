import { refused, type EffectBase, type Outcome } from "@trestle/core";
import type { PartHandlers } from "../bridge-part.js";
import type { Gateway } from "./gateway.js";
import type { Told } from "./told.js";

/** What the rooms of the gateway are told. */
export function gatewayHandlers(gateway: Gateway): PartHandlers {
  const to =
    <Effect extends EffectBase>(act: (told: Told, effect: Effect) => Outcome | Promise<Outcome>) =>
    async (effect: Effect): Promise<Outcome> => {
      const room = gateway.get(effect.channel);
      return room ? act(room.told, effect) : refused(`${effect.channel} is not linked any more`);
    };
  return {
    message: to((told, effect) => told.message(effect)),
    findSent: (effect) => Promise.resolve(gateway.get(effect.channel)?.told.findSent(effect) ?? null),
    edit: to((told, effect) => told.edit(effect)),
    redact: to((told, effect) => told.redact(effect)),
    react: to((told, effect) => told.react(effect)),
    unreact: to((told, effect) => told.unreact(effect)),
    topic: to((told, effect) => told.topic(effect)),
    name: to((told, effect) => told.name(effect)),
    picture: to((told) => told.changed()),
    membership: to((told, effect) => told.membership(effect)),
    role: to((told) => told.changed()),
    settings: to((told) => told.changed()),
    typing: (signal) => {
      gateway.get(signal.channel)?.told.typing(signal);
      return Promise.resolve();
    },
    receipt: (signal) => {
      gateway.get(signal.channel)?.told.read(signal);
      return Promise.resolve();
    },
    invite: (effect) => {
      const room = gateway.get(effect.channel);
      return Promise.resolve(room ? room.invites.told(effect) : refused(`${effect.channel} is not linked any more`));
    },
    linked: (link) => {
      gateway.add(link);
      return Promise.resolve();
    },
    unlinked: (link) => gateway.remove(link),
  };
}
