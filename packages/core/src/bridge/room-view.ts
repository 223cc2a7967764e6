import { isRecord } from "../appservice/event.js";
import { ContentUri, RemoteUserId, RoomAlias, UserId, type RoomId } from "../connector/ids.js";
import type { PowerNeeded, RoomMember, RoomPerson, RoomView } from "../connector/room-view.js";
import type { ClientEvent, EventContent } from "../matrix/answers.js";
import type { Permissions } from "./permissions.js";
import type { BridgeRuntime } from "./runtime.js";
import { localpartOf, memberOf } from "./to-network/authors.js";

interface GhostRow {
  readonly user: string;
  readonly remote: string;
}

const ghostsAtOnce = 500;

/** Reads the state of a room. @throws Error for people, where it cannot be read */
export async function lookAtRoom(runtime: BridgeRuntime, permissions: Permissions, room: RoomId): Promise<RoomView> {
  const state = await runtime.client.getRoomState(room);
  if (!state.ok) throw new Error(`The room ${room} cannot be read: ${state.failure.message}`);
  const events = state.body;
  const contentOf = (type: string): EventContent =>
    events.find((event) => event.type === type && event.stateKey === "")?.content ?? {};
  const powerOf = powersOf(events);
  const of = events.filter(({ type }) => type === "m.room.member");
  const [name, topic] = [textOf(contentOf("m.room.name").name), textOf(contentOf("m.room.topic").topic)];
  const avatar = textOf(contentOf("m.room.avatar").url);
  const { alias, alt_aliases: others } = contentOf("m.room.canonical_alias");
  return {
    room,
    ...(name !== undefined && { name }),
    ...(topic !== undefined && { topic }),
    ...(avatar !== undefined && { avatar: ContentUri(avatar) }),
    ...(typeof alias === "string" && { alias: RoomAlias(alias) }),
    otherAliases: Array.isArray(others) ? others.filter((other) => typeof other === "string").map(RoomAlias) : [],
    joinRule: textOf(contentOf("m.room.join_rules").join_rule) ?? "invite",
    historyVisibility: textOf(contentOf("m.room.history_visibility").history_visibility) ?? "shared",
    isEncrypted: events.some(({ type, stateKey }) => type === "m.room.encryption" && stateKey === ""),
    members: of
      .flatMap((event) => membersOf(runtime, event, powerOf.user))
      .filter(({ userId }) => !permissions.bans(userId)),
    people: await peopleOf(runtime, of, powerOf),
    power: powerOf.needed,
  };
}

function membersOf(runtime: BridgeRuntime, event: ClientEvent, power: (user: string) => number): RoomMember[] {
  const { stateKey: user } = event;
  if (user === undefined || runtime.isOwn(user)) return [];
  const { membership, name, avatar } = memberOf(event.content);
  if (membership !== "join") return [];
  const shown = { userId: UserId(user), name: name ?? localpartOf(user), power: power(user) };
  return [avatar === undefined ? shown : { ...shown, avatar: ContentUri(avatar) }];
}

/** Of the ghosts, those of whom the room says anything. */
async function peopleOf(
  runtime: BridgeRuntime,
  members: readonly ClientEvent[],
  { user: powerOf, given }: Powers,
): Promise<readonly RoomPerson[]> {
  const memberships = new Map<string, RoomPerson["membership"]>();
  for (const user of given) if (isGhost(runtime, user)) memberships.set(user, "leave");
  for (const { stateKey: user, content } of members) {
    const { membership } = content;
    if (user === undefined || !isGhost(runtime, user)) continue;
    if (membership === "join" || membership === "invite" || membership === "ban") memberships.set(user, membership);
  }
  const users = [...memberships.keys()];
  const people: RoomPerson[] = [];
  for (let from = 0; from < users.length; from += ghostsAtOnce) {
    const some = users.slice(from, from + ghostsAtOnce);
    const rows = await runtime.store.all<GhostRow>(
      `SELECT user, remote FROM ghost WHERE bridge = ? AND user IN (${some.map(() => "?").join(", ")})`,
      runtime.key,
      ...some,
    );
    for (const { user, remote } of rows) {
      people.push({ id: RemoteUserId(remote), membership: memberships.get(user) ?? "leave", power: powerOf(user) });
    }
  }
  return people;
}

function isGhost(runtime: BridgeRuntime, user: string): boolean {
  return user !== runtime.bot && runtime.isOwn(user);
}

interface Powers {
  readonly user: (user: string) => number;
  /** Whom the room gives a power by name. */
  readonly given: readonly string[];
  readonly needed: PowerNeeded;
}

function powersOf(events: readonly ClientEvent[]): Powers {
  const levels = events.find(({ type, stateKey }) => type === "m.room.power_levels" && stateKey === "")?.content;
  const creation = events.find(({ type }) => type === "m.room.create");
  const additional = creation?.content.additional_creators;
  const creators = new Set<unknown>([
    creation?.sender,
    ...(Array.isArray(additional) ? (additional as unknown[]) : []),
  ]);
  const areAbove = Number(creation?.content.room_version ?? 1) >= 12;
  const users = isRecord(levels?.users) ? levels.users : {};
  const usual = numberOf(levels?.users_default) ?? 0;
  const user = (id: string): number => {
    if (creators.has(id) && areAbove) return Number.POSITIVE_INFINITY;
    return numberOf(users[id]) ?? (levels === undefined && creators.has(id) ? 100 : usual);
  };
  const forEvents = isRecord(levels?.events) ? levels.events : {};
  const needed = {
    usual,
    speak: numberOf(forEvents["m.room.message"]) ?? numberOf(levels?.events_default) ?? 0,
    setTopic: numberOf(forEvents["m.room.topic"]) ?? numberOf(levels?.state_default) ?? (levels ? 50 : 0),
    kick: numberOf(levels?.kick) ?? 50,
    ban: numberOf(levels?.ban) ?? 50,
    redact: numberOf(levels?.redact) ?? 50,
    invite: numberOf(levels?.invite) ?? 0,
  };
  return { user, given: Object.keys(users), needed };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
