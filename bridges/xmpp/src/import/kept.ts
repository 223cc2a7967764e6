import { rowIn, textIn, type Row } from "@trestle/core";

/** What matrix-bifrost kept, wherever it kept it, as far as it is used. */
export interface Kept {
  rooms(): AsyncIterable<KeptRoom>;
  conversations(): AsyncIterable<KeptConversation>;
  ghosts(): AsyncIterable<KeptGhost>;
  accounts(): AsyncIterable<KeptAccount>;
  /** What could not be read, by what it was. */
  readonly unreadable: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** A Matrix room and a room of a network. */
export interface KeptRoom {
  readonly room: string;
  /** `xmpp-js`, or a protocol of libpurple: `prpl-jabber`. */
  readonly protocol: string;
  /** The room's address. */
  readonly address: string;
  /** XMPP users enter the Matrix room as a room of the bridge's own. */
  readonly gateway: boolean;
}

/** A private conversation. */
export interface KeptConversation {
  readonly room: string;
  readonly protocol: string;
  readonly user: string;
  /** The other's address. */
  readonly recipient: string;
}

/** A Matrix user that stands for somebody on a network. */
export interface KeptGhost {
  readonly user: string;
  readonly protocol: string;
  /** A bare address, or `room@service/nick`. */
  readonly sender: string;
  readonly name?: string | undefined;
}

/** A Matrix user's own account. */
export interface KeptAccount {
  readonly user: string;
  readonly protocol: string;
  readonly name: string;
}

/** A room as both places keep it: what it is called, or how it was entered. */
export function keptRoom(room: string | undefined, remote: Row | undefined): KeptRoom | undefined {
  const protocol = textIn(remote, "protocol_id");
  const properties = rowIn(remote, "properties");
  const [name, server] = [textIn(properties, "room"), textIn(properties, "server")];
  const address = textIn(remote, "room_name") ?? (name && server ? `${name}@${server}` : undefined);
  if (room === undefined || protocol === undefined || address === undefined) return undefined;
  return { room, protocol, address, gateway: remote?.["gateway"] === true };
}
