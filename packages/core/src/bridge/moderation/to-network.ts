import { isRecord } from "../../appservice/event.js";
import { EventId, UserId } from "../../connector/ids.js";
import type { ChannelSettings, RankedTarget, Role } from "../../connector/roles.js";
import { done, type Verdict } from "../../delivery/entry.js";
import { classify } from "../../matrix/failure.js";
import type { MatrixResult } from "../../matrix/result.js";
import { effectIdOf } from "../effect-id.js";
import { localpartOf } from "../to-network/authors.js";
import { call, verdictOfCall } from "../to-network/call.js";
import type { ToNetworkParts } from "../to-network/deliver.js";
import type { EffectSource } from "../to-network/source.js";
import { verdictOf } from "../to-matrix/send.js";
import { levelOf } from "./given-levels.js";
import { isCarried, roleOf } from "./ranks.js";
import { settingsOfLevels } from "./room-settings.js";

type Content = Readonly<Record<string, unknown>>;

interface Change {
  readonly who: RankedTarget;
  readonly user: string;
  readonly role: Role;
  readonly before: Role;
}

/** The power levels of a room changed: the ranks and settings that this is, as far as the operator lets them be carried. */
export async function deliverPowerLevels(parts: ToNetworkParts, source: EffectSource): Promise<Verdict> {
  const { config, handlers } = parts.runtime;
  const { kind } = source.link;
  const ranks = handlers.role !== undefined && isCarried(config.roles, kind, "toNetwork");
  const settings = handlers.settings !== undefined && isCarried(config.channelSettings, kind, "toNetwork");
  if (!ranks && !settings) return done();
  const before = await previousContent(parts, source);
  if (!before.ok) return verdictOf(before.failure);
  if (before.body === undefined) return done();
  let refused: Verdict | undefined;
  if (settings) {
    const verdict = await deliverSettings(parts, source, settingsOfLevels(before.body, source.event.content));
    if (verdict.verdict === "retry") return verdict;
    if (verdict.verdict === "dead") refused = verdict;
  }
  // One that the network refuses does not keep the others from theirs.
  for (const change of ranks ? await rankChanges(parts, source, before.body) : []) {
    const verdict = await deliverRank(parts, source, change);
    if (verdict.verdict === "retry") return verdict;
    if (verdict.verdict === "dead") refused ??= verdict;
  }
  return refused ?? done();
}

/** Who can join, or who can read what was said, changed. */
export async function deliverRoomState(
  parts: ToNetworkParts,
  source: EffectSource,
  settingsOf: (before: Content, now: Content) => ChannelSettings,
): Promise<Verdict> {
  const { config, handlers } = parts.runtime;
  if (!handlers.settings || !isCarried(config.channelSettings, source.link.kind, "toNetwork")) return done();
  const before = await previousContent(parts, source);
  if (!before.ok) return verdictOf(before.failure);
  if (before.body === undefined) return done();
  return deliverSettings(parts, source, settingsOf(before.body, source.event.content));
}

async function deliverSettings(
  { runtime }: ToNetworkParts,
  { base, link }: EffectSource,
  settings: ChannelSettings,
): Promise<Verdict> {
  const handler = runtime.handlers.settings;
  if (!handler || Object.keys(settings).length === 0) return done();
  const effect = effectIdOf(runtime.name, "settings", link.channel, base.event);
  return verdictOfCall(
    await call(runtime, (running) => handler({ ...base, effect, settings, signal: running.signal })),
  );
}

async function deliverRank(
  { runtime }: ToNetworkParts,
  { base, link }: EffectSource,
  { who, user, role, before }: Change,
): Promise<Verdict> {
  const handler = runtime.handlers.role;
  if (!handler) return done();
  const effect = effectIdOf(runtime.name, "role", link.channel, base.event, user);
  return verdictOfCall(
    await call(runtime, (running) => handler({ ...base, effect, who, role, before, signal: running.signal })),
  );
}

/** The state that the event replaced; `undefined` where nobody can tell: then nothing counts as changed. */
async function previousContent(
  { runtime }: ToNetworkParts,
  { event, room }: EffectSource,
): Promise<MatrixResult<Content | undefined>> {
  const { prev_content: before, replaces_state: replaced } = event.unsigned ?? {};
  if (isRecord(before)) return { ok: true, body: before };
  if (typeof replaced !== "string") return { ok: true, body: undefined };
  const found = await runtime.client.getEvent(room.id, EventId(replaced));
  if (!found.ok && classify(found.failure).action === "retry") return found;
  return { ok: true, body: found.ok ? found.body?.content : undefined };
}

async function rankChanges(
  { runtime, ghosts }: ToNetworkParts,
  { event, room }: EffectSource,
  before: Content,
): Promise<readonly Change[]> {
  const { powers } = runtime.config.roles;
  const users = new Set(
    [before, event.content].flatMap(({ users: named }) => Object.keys(isRecord(named) ? named : {})),
  );
  const changes: Change[] = [];
  for (const user of users) {
    if (user === runtime.bot) continue;
    const was = roleOf(levelOf(before, user), powers);
    const role = roleOf(levelOf(event.content, user), powers);
    if (was === role) continue;
    if (runtime.isOwn(user)) {
      const ghost = await ghosts.ofUser(user);
      if (ghost) changes.push({ who: { remote: ghost.remote }, user, role, before: was });
      continue;
    }
    const name = (await runtime.members.find(room.key, user))?.name ?? localpartOf(user);
    changes.push({ who: { userId: UserId(user), name }, user, role, before: was });
  }
  return changes;
}
