import { queryAlias } from "../appservice/queries.js";
import { invalidParam, MatrixError, notFound } from "../errors.js";
import { domainOf, MAX_ID_BYTES } from "../ids.js";
import type { World } from "../world.js";
import type { Room } from "./room.js";

/**
 * Whether application service `serviceId`, or an ordinary user where it is `undefined`, may make `alias`.
 * @throws MatrixError 400 `M_INVALID_PARAM`, `M_EXCLUSIVE`, `M_ROOM_IN_USE`
 */
export function claimAlias(world: World, alias: string, serviceId: string | undefined): void {
  checkAlias(world, alias);
  for (const { info } of world.services.values()) {
    if (info.id === serviceId) {
      if (!info.ownsAlias(alias))
        throw new MatrixError(400, "M_EXCLUSIVE", "Application service has not reserved this kind of alias.");
    } else if (info.claimsAlias(alias)) {
      throw new MatrixError(400, "M_EXCLUSIVE", "This alias is reserved by an application service.");
    }
  }
  if (world.rooms.aliases.has(alias)) throw new MatrixError(400, "M_ROOM_IN_USE", `Room alias ${alias} already taken`);
}

/** Whether an application service has `alias` to itself: ordinary users neither make, move nor delete it. */
export function isReserved(world: World, alias: string): boolean {
  return [...world.services.values()].some(({ info }) => info.claimsAlias(alias));
}

/** @throws MatrixError 400 for what is no alias of this server */
export function checkAlias(world: World, alias: string): void {
  if (!/^#[^:\0]*:.+/su.test(alias)) throw invalidParam(`Room alias invalid: ${alias}`);
  if (Buffer.byteLength(alias) > MAX_ID_BYTES)
    throw invalidParam(`Can't create aliases longer than ${MAX_ID_BYTES} bytes`);
  if (domainOf(alias) !== world.serverName) throw invalidParam("Room alias must be local");
}

/** The room behind `alias`; asks the application services whose namespace it is in before giving up. */
export async function resolveAlias(world: World, alias: string): Promise<Room> {
  if (!world.rooms.aliases.has(alias)) {
    for (const service of world.services.values()) {
      if (!service.info.ownsAlias(alias)) continue;
      await queryAlias(service, world.faults, alias);
      if (world.rooms.aliases.has(alias)) break;
    }
  }
  const entry = world.rooms.aliases.get(alias);
  if (entry === undefined) throw notFound(`Room alias ${alias} not found`);
  return world.rooms.require(entry.roomId);
}
