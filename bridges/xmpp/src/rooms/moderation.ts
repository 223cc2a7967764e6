import {
  refused,
  type Failure,
  type MembershipEffect,
  type Outcome,
  type RemoteUserId,
  type Role,
  type RoleChange,
  type RoleEffect,
  type SettingsEffect,
  type UserId,
} from "@trestle/core";
import { bareJidOf } from "../address/index.js";
import { element, ns, type MucItem } from "../content/index.js";
import { writeForm, writeMucAdmin } from "../protocol/index.js";
import type { Asking, Authority } from "./authority.js";
import type { Configuration } from "./configuration.js";
import type { Expulsions } from "./expulsions.js";
import type { Ghosts } from "./ghosts.js";
import type { Members } from "./members.js";
import type { RoomParts } from "./parts.js";
import { stepsTowards, type RankStep } from "./ranks.js";
import type { RoomRanks } from "./room-ranks.js";
import { fieldsOf, type ToldSettings } from "./settings.js";

const ROOM_CONFIG = "http://jabber.org/protocol/muc#roomconfig";
const REGRANT_MS = 30_000;
/** Whoever is in a room is made a member of it before it is closed to others; not so many that it takes minutes. */
const MOST_MEMBERS_MADE = 200;

export interface ModerationOptions {
  readonly parts: RoomParts;
  readonly room: string;
  readonly authority: Authority;
  readonly ranks: RoomRanks;
  readonly settings: ToldSettings;
  readonly configuration: Configuration;
  readonly members: Members;
  readonly ghosts: Ghosts;
  readonly expulsions: Expulsions;
}

/** What moderators on Matrix do is done in the room, as far as the bridge or they may do it there (XEP-0045 §8 to §10). */
export class RoomModeration {
  constructor(private readonly options: ModerationOptions) {}

  /** A power level has become that of another rank. */
  async role(effect: RoleEffect): Promise<Outcome> {
    const { ranks, authority } = this.options;
    const { who } = effect;
    if ("userId" in who) return this.#ownRole(effect, who);
    if (authority.out) return authority.out;
    const names = this.#namesOf(who.remote);
    const now = ranks.itemOf(who.remote) ?? awayItem(ranks.known(who.remote));
    const failure = await this.#rank(effect, { remote: { id: who.remote } }, names.nick ?? who.remote, { now, names });
    // The power of people who are not on Matrix only shows what they are; that of Matrix users is theirs in Matrix.
    if (failure?.failed === "permanent") await ranks.insist({ remote: { id: who.remote } });
    return failure;
  }

  /** XEP-0045 §8.2, §9.1, §9.2. */
  async expel(effect: MembershipEffect, remote: RemoteUserId): Promise<Outcome> {
    const { room, authority, parts } = this.options;
    const { change, reason } = effect;
    if (change !== "kick" && change !== "ban" && change !== "unban") return undefined;
    if (authority.out) return authority.out;
    const { nick, jid } = this.#namesOf(remote);
    const what = `To ${change} ${nick ?? jid ?? remote} in ${room}`;
    const why = reason === undefined ? {} : { reason };
    if (change === "kick") {
      if (nick === undefined) return refused(`${what} was not possible: nobody of that name is in the room`);
      return authority.ask(effect, writeMucAdmin([{ nick, role: "none", ...why }]), what, "a moderator");
    }
    const key = `banned ${room} ${remote}`;
    const address = jid ?? (change === "unban" ? await parts.network.storage.get(key) : undefined);
    const target = address === undefined ? nick !== undefined && { nick } : { jid: address };
    if (target === false)
      return refused(`${what} was not possible: only the room knows their address. Do it in the room itself.`);
    const affiliation = change === "ban" ? "outcast" : "none";
    const failure = await authority.ask(effect, writeMucAdmin([{ ...target, affiliation, ...why }]), what, "an admin");
    if (failure) return failure;
    if (change === "unban") await parts.network.storage.delete(key);
    else if (address !== undefined) await parts.network.storage.set(key, address);
    return undefined;
  }

  /** XEP-0045 §10.2. */
  async settings({ settings, ...effect }: SettingsEffect): Promise<Outcome> {
    const { room, authority, configuration } = this.options;
    const fields = fieldsOf(settings);
    if (fields.length === 0) return undefined;
    if (authority.out) return authority.out;
    const failure =
      (settings.inviteOnly === true ? await this.#admitPresent(effect) : undefined) ??
      (await authority.ask(
        effect,
        element("query", { xmlns: ns.mucOwner }, writeForm({ type: "submit", formType: ROOM_CONFIG, fields })),
        `To configure ${room} as the Matrix room was`,
        "an owner",
      ));
    if (failure?.failed === "permanent") await this.options.settings.insist(configuration.settings);
    return failure;
  }

  async #ownRole(effect: RoleEffect, who: Extract<RoleEffect["who"], { readonly userId: unknown }>): Promise<Outcome> {
    const { parts, ghosts, ranks, expulsions } = this.options;
    const { config } = parts;
    const { role } = effect;
    // Nobody of theirs is in the room who could be anything there.
    if (!config.ghosts || config.maxGhosts === 0) return undefined;
    const barred = expulsions.whyBarred(who.userId);
    if (barred !== undefined) return refused(barred);
    const occupant = ghosts.get(who);
    const out = await occupant.join();
    if (out) return out;
    const jid = ghosts.addressOf(who.userId);
    const { nick } = occupant;
    const failure = await this.#rank(effect, { userId: who.userId }, who.name, {
      now: ranks.itemOf({ userId: who.userId }),
      names: { jid, ...(nick !== undefined && { nick }) },
    });
    // What they are by affiliation they are also next time.
    if (!failure) await ranks.wish(who.userId, role === "owner" || role === "admin" ? "none" : role);
    return failure;
  }

  /** A Matrix user came into the room with less than they are to have. */
  async regrant(userId: UserId, role: Role): Promise<void> {
    const { ranks, ghosts } = this.options;
    const nick = ghosts.find(userId)?.nick;
    if (nick === undefined) return;
    const asking = { author: { userId, name: nick }, signal: AbortSignal.timeout(REGRANT_MS), role };
    const now = ranks.itemOf({ userId });
    const failure = await this.#rank(asking, { userId }, nick, { now, names: { nick } });
    if (failure?.failed === "permanent") await ranks.wish(userId, "none");
  }

  #rank(
    effect: Asking & { readonly role: Role },
    who: RoleChange["who"],
    name: string,
    { now, names }: { readonly now: MucItem | undefined; readonly names: Names },
  ): Promise<Failure | undefined> {
    const { room, ranks, authority, configuration } = this.options;
    if (authority.out) return Promise.resolve(authority.out);
    const { role } = effect;
    const what = `To make ${name} ${titleOf(role)} in ${room}`;
    if (now === undefined) return Promise.resolve(refused(`${what} was not possible: they are not in the room`));
    return ranks.holding(who, role, async () => {
      for (const step of stepsTowards(role, now, configuration.features)) {
        const item = itemFor(step, names);
        if (item === undefined) {
          const result = refused(
            `${what} was not possible: only the room knows their address. Do it in the room itself.`,
          );
          return { result, isDone: false };
        }
        const needed = "role" in step ? "a moderator" : role === "owner" ? "an owner" : "an admin";
        const result = await authority.ask(effect, writeMucAdmin([item]), what, needed);
        if (result) return { result, isDone: false };
      }
      return { result: undefined, isDone: true };
    });
  }

  /** A room for members alone puts out whoever is none: those who are in it are to stay. */
  async #admitPresent(asking: Asking): Promise<Failure | undefined> {
    const { room, members, ranks, ghosts, authority } = this.options;
    const addresses = new Set<string>();
    for (const id of members.present.keys()) {
      const { jid } = this.#namesOf(id);
      if (isNobody(members.itemsOf(id)[0]) && jid !== undefined) addresses.add(jid);
    }
    for (const userId of ghosts.users) if (isNobody(ranks.itemOf({ userId }))) addresses.add(ghosts.addressOf(userId));
    if (addresses.size > MOST_MEMBERS_MADE)
      return refused(
        `${room} was not closed to others than its members: ${addresses.size} people are in it who are none, and would be put out. Do it in the room itself.`,
      );
    for (const jid of addresses) {
      const item = { jid, affiliation: "member" } as const;
      const what = `To make those members of ${room} who are in it`;
      const failure = await authority.ask(asking, writeMucAdmin([item]), what, "an owner");
      if (failure) return failure;
    }
    return undefined;
  }

  /** What a room knows somebody by. */
  #namesOf(remote: RemoteUserId): Names {
    const { members } = this.options;
    const nick = members.nickOf(remote);
    const isAddress = !remote.startsWith("occupant:") && !remote.startsWith("nick:");
    const jid = isAddress ? remote : bareJidOf(members.itemsOf(remote)[0]?.jid ?? "");
    return { ...(nick !== undefined && { nick }), ...(jid !== undefined && { jid }) };
  }
}

interface Names {
  readonly nick?: string;
  /** The bare address. */
  readonly jid?: string;
}

/** An affiliation is that of an address, a role that of a nick; servers find the address of a nick too. */
function itemFor(step: RankStep, { nick, jid }: Names): MucItem | undefined {
  if ("affiliation" in step && jid !== undefined) return { ...step, jid };
  return nick === undefined ? undefined : { ...step, nick };
}

function awayItem(rank: ReturnType<RoomRanks["known"]>): MucItem | undefined {
  return rank === "owner" || rank === "admin" ? { affiliation: rank } : undefined;
}

function isNobody(item: MucItem | undefined): boolean {
  return item !== undefined && (item.affiliation ?? "none") === "none";
}

function titleOf(role: RoleEffect["role"]): string {
  if (role === "none") return "nobody in particular";
  if (role === "speaker" || role === "helper") return "a participant";
  return role === "moderator" ? "a moderator" : `an ${role}`;
}
