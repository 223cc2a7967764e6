import { RemoteUserId } from "../connector/ids.js";
import { decodeGhostLocalpart } from "../mapping/ghost-id.js";
import type { MatrixResult } from "../matrix/result.js";
import type { Ghost, Ghosts } from "./ghosts.js";
import type { BridgeRuntime } from "./runtime.js";

/** The ghost with this user id; made where the network knows the person for whom it would stand. `null`: it stands for nobody. */
export async function resolveGhost(
  runtime: BridgeRuntime,
  ghosts: Ghosts,
  userId: string,
): Promise<MatrixResult<Ghost | null>> {
  const known = await ghosts.ofUser(userId);
  if (known) return { ok: true, body: known };
  const { resolveUser } = runtime.handlers;
  const decoded = decodeGhostLocalpart(runtime.ghostPrefix, userId.slice(1, -1 - runtime.serverName.length));
  const person = resolveUser && decoded && "remoteId" in decoded ? await resolveUser(decoded.remoteId) : null;
  if (!person) return { ok: true, body: null };
  const ghost = await ghosts.ensure({ ...person, id: RemoteUserId(person.id) });
  return ghost.ok && ghost.body.user !== userId ? { ok: true, body: null } : ghost;
}
