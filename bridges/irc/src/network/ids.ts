import { ChannelId, RemoteUserId, UserId } from "@trestle/core";

/** Where a channel id of this bridge leads. */
export type Place =
  | { readonly kind: "channel"; readonly network: string; readonly channel: string }
  /** The private conversation of one Matrix user with one nick, or `$account`. */
  | { readonly kind: "query"; readonly network: string; readonly nick: string; readonly user: UserId };

/** `network/#channel`, folded. */
export function channelIdOf(network: string, channel: string): ChannelId {
  return ChannelId(`${network}/${channel}`);
}

/** `network/nick/@user:server`, or `$account` instead of the nick: two Matrix users who talk to the same nick have two conversations. */
export function queryIdOf(network: string, nick: string, user: UserId): ChannelId {
  return ChannelId(`${network}/${nick}/${user}`);
}

/** `network/nick`, folded. */
export function remoteUserIdOf(network: string, nick: string): RemoteUserId {
  return RemoteUserId(`${network}/${nick}`);
}

/** `network/$account`, folded: somebody whom the network knows by an account, whatever their nick. No nick begins with `$`. */
export function accountIdOf(network: string, account: string): RemoteUserId {
  return RemoteUserId(`${network}/$${account}`);
}

/** Somebody by their folded account, where it is known, and otherwise by their folded nick. */
export function personIdOf(network: string, nick: string, account: string | undefined): RemoteUserId {
  return account === undefined ? remoteUserIdOf(network, nick) : accountIdOf(network, account);
}

/** The folded account of `network/$account` or of `$account`; `undefined` for somebody who is known by a nick. */
export function accountOf(id: string): string | undefined {
  const rest = id.slice(id.indexOf("/") + 1);
  return rest.startsWith("$") ? rest.slice(1) : undefined;
}

/** `undefined` for an id that this bridge did not make. */
export function placeOf(id: ChannelId): Place | undefined {
  const slash = id.indexOf("/");
  if (slash <= 0 || slash === id.length - 1) return undefined;
  const network = id.slice(0, slash);
  const rest = id.slice(slash + 1);
  // A channel's name may hold "/@" as well: it begins with what no nick can begin with, whatever CHANTYPES says.
  if (/^[!-#%-/:-@]/.test(rest)) return { kind: "channel", network, channel: rest };
  const user = rest.indexOf("/@");
  if (user <= 0) return undefined;
  return { kind: "query", network, nick: rest.slice(0, user), user: UserId(rest.slice(user + 1)) };
}

/** The network and nick, or `$account`, of a person's id; `undefined` for an id that this bridge did not make. */
export function personOf(id: string): { readonly network: string; readonly nick: string } | undefined {
  const slash = id.indexOf("/");
  return slash <= 0 || slash === id.length - 1 ? undefined : { network: id.slice(0, slash), nick: id.slice(slash + 1) };
}
