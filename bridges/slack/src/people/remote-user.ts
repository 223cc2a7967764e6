import { createHash } from "node:crypto";
import { RemoteUserId } from "@trestle/core";

/**
 * Who somebody is on Slack. People are known by their own workspace and their id, so that neither a new name nor a new
 * domain of the workspace makes another ghost; apps likewise, with one ghost more for each name an app gives its messages.
 */
export type SlackIdentity =
  | { readonly kind: "user"; readonly team: string; readonly id: string }
  | { readonly kind: "bot"; readonly team: string; readonly id: string; readonly name?: string };

/** `t012ab3cd-u012ab3cd`; of a bot's message with a name of its own `…-b012ab3cd-` and a hash of the name. */
export function remoteUserOf(identity: SlackIdentity): RemoteUserId {
  const { kind, team, id } = identity;
  const name = kind === "bot" && identity.name !== undefined ? `-${shortHash(identity.name)}` : "";
  return RemoteUserId(`${team}-${id}${name}`.toLowerCase());
}

/** The workspace and the user a remote id stands for; `undefined` where it is no person's. */
export function userOf(remote: string): { readonly team: string; readonly id: string } | undefined {
  const [, team, id] = /^([te][a-z0-9]+)-([uw][a-z0-9]+)$/.exec(remote) ?? [];
  return team === undefined || id === undefined ? undefined : { team: team.toUpperCase(), id: id.toUpperCase() };
}

function shortHash(name: string): string {
  return createHash("sha256").update(name).digest("hex").slice(0, 10);
}
