import { ChannelId, type RoomAlias, type RoomId, type RoomView } from "@trestle/core";
import { localOfRoom, parseJid, roomOfLocal } from "../address/index.js";

/** The address of a Matrix room on the component's domain: from its alias where it has one, otherwise from its id. */
export function gatewayChannel(domain: string, room: RoomAlias | RoomId): ChannelId {
  return ChannelId(`${localOfRoom(room)}@${domain}`);
}

/** The address that a room gets when it is linked: from its canonical alias, which does not change with the room's version. */
export function channelOfView(domain: string, { alias, room }: RoomView): ChannelId {
  return gatewayChannel(domain, alias ?? room);
}

/** The Matrix room that an address on the component's domain stands for; `undefined` where it is a person's or another domain's. */
export function roomOfAddress(domain: string, address: string): RoomAlias | RoomId | undefined {
  const jid = parseJid(address);
  if (jid?.local === undefined || jid.domain !== domain) return undefined;
  const found = roomOfLocal(jid.local);
  if (found === undefined) return undefined;
  return "alias" in found ? found.alias : found.roomId;
}
