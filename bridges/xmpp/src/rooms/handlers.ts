import { refused, type EffectBase, type Outcome } from "@trestle/core";
import type { PartHandlers } from "../bridge-part.js";
import type { Room } from "./room.js";
import type { Rooms } from "./rooms.js";

/** What linked rooms of other services are told. */
export function roomHandlers(rooms: Rooms): PartHandlers {
  const to =
    <Effect extends EffectBase>(act: (room: Room, effect: Effect) => Promise<Outcome>) =>
    async (effect: Effect): Promise<Outcome> => {
      const room = rooms.get(effect.channel);
      return room ? act(room, effect) : refused(`${effect.channel} is no room that can be entered`);
    };
  return {
    // What the parts say is made again when they are sent: only how many there are is kept.
    split: (message) =>
      rooms
        .get(message.channel)
        ?.outward.split(message)
        .map((_, index) => index) ?? [0],
    message: to((room, effect) => room.outward.say(effect)),
    findSent: async (effect) => (await rooms.get(effect.channel)?.findSent(effect)) ?? null,
    edit: to((room, effect) => room.outward.edit(effect)),
    redact: to((room, effect) => room.outward.redact(effect)),
    react: to((room, effect) => room.outward.react(effect)),
    unreact: to((room, effect) => room.outward.unreact(effect)),
    topic: to((room, effect) => room.outward.setTopic(effect)),
    name: to((room, effect) => room.outward.rename(effect)),
    picture: to((room, effect) => room.picture(effect)),
    membership: to((room, effect) => room.membership(effect)),
    invite: to((room, effect) => room.outward.invite(effect)),
    role: to((room, effect) => room.role(effect)),
    settings: to((room, effect) => room.settings(effect)),
    typing: async (signal) => rooms.get(signal.channel)?.typing(signal),
    receipt: async (signal) => rooms.get(signal.channel)?.receipt(signal),
    catchUp: (channel, cursor) => {
      rooms.cursor(channel, cursor);
      return Promise.resolve();
    },
    linked: ({ channel }) => rooms.add(channel),
    unlinked: ({ channel }) => rooms.remove(channel),
  };
}
