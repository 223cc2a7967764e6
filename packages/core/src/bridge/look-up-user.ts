import type { FoundUser } from "../connector/found-user.js";
import { RemoteUserId, type UserId } from "../connector/ids.js";
import { decodeGhostLocalpart } from "../mapping/ghost-id.js";
import type { Ghosts } from "./ghosts.js";
import type { Permissions } from "./permissions.js";
import type { BridgeRuntime } from "./runtime.js";

/** So long their homeserver may take; it may be far away. */
const patienceMs = 8_000;

/** Who a Matrix user id is, as far as can be known now. */
export async function lookUpUser(
  runtime: BridgeRuntime,
  permissions: Permissions,
  ghosts: Ghosts,
  user: UserId,
): Promise<FoundUser> {
  if (permissions.bans(user)) return { is: "nobody" };
  if (!runtime.isOwn(user)) {
    const profile = await runtime.client.getProfile(user, { timeoutMs: patienceMs });
    return { is: profile.ok && profile.body === null ? "nobody" : "user" };
  }
  if (user === runtime.bot) return { is: "own" };
  const known = await ghosts.ofUser(user);
  if (known) return { is: "own", person: RemoteUserId(known.remote) };
  const decoded = decodeGhostLocalpart(runtime.ghostPrefix, user.slice(1, -1 - runtime.serverName.length));
  if (!decoded || !("remoteId" in decoded)) return { is: "own" };
  return { is: "own", person: RemoteUserId(decoded.remoteId) };
}
