import type { RoomId, UserId } from "../connector/ids.js";
import { isRecord } from "../appservice/event.js";
import type { MatrixClient } from "../matrix/client.js";
import type { MatrixResult } from "../matrix/result.js";

/** A user's power in a room, and the power that something takes there. */
export interface Power {
  readonly user: number;
  readonly needed: number;
}

/** Reads both, also in rooms of version 12, whose creators have more power than any number says. */
export function powerToSetState(
  client: MatrixClient,
  room: RoomId,
  user: UserId,
  type: string,
): Promise<MatrixResult<Power>> {
  return powerFor(
    client,
    room,
    user,
    (content) =>
      numberOf(isRecord(content.events) ? content.events[type] : undefined) ?? numberOf(content.state_default) ?? 50,
  );
}

/** The same for notifying everyone in the room. */
export function powerToNotify(client: MatrixClient, room: RoomId, user: UserId): Promise<MatrixResult<Power>> {
  return powerFor(
    client,
    room,
    user,
    ({ notifications }) => numberOf(isRecord(notifications) ? notifications.room : undefined) ?? 50,
  );
}

async function powerFor(
  client: MatrixClient,
  room: RoomId,
  user: UserId,
  neededOf: (levels: Readonly<Record<string, unknown>>) => number,
): Promise<MatrixResult<Power>> {
  const [levels, create] = await Promise.all([
    client.getState({ room, type: "m.room.power_levels" }),
    client.getRoomState(room),
  ]);
  if (!levels.ok) return levels;
  if (!create.ok) return create;
  const creation = create.body.find((event) => event.type === "m.room.create");
  const version = Number(creation?.content.room_version ?? 1);
  const additional = creation?.content.additional_creators;
  const isCreator = creation?.sender === user || (Array.isArray(additional) && additional.includes(user));
  const content = levels.body ?? {};
  const needed = levels.body ? neededOf(content) : 0;
  if (version >= 12 && isCreator) return { ok: true, body: { user: Number.POSITIVE_INFINITY, needed } };
  const own = isRecord(content.users) ? numberOf(content.users[user]) : undefined;
  const absent = levels.body === null && isCreator ? 100 : 0;
  return { ok: true, body: { user: own ?? numberOf(content.users_default) ?? absent, needed } };
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
