import { randomUUID } from "node:crypto";
import { RemoteMessageId, type RemoteUser } from "@trestle/core";
import { bareJidOf } from "../address/index.js";
import { occupantId, stanzaId, writeModeration, type MucItem } from "../content/index.js";
import { writeMucAdmin } from "../protocol/index.js";
import type { Entrance } from "./entrance.js";
import { refusal, type Refusal } from "./errors.js";
import { tombstone } from "./hear.js";
import { occupantIdOf } from "./parts.js";
import type { Answered } from "./queries.js";
import type { RoomState } from "./room-state.js";
import type { Occupant, Person } from "./roster.js";

const forbidden = refusal("auth", "forbidden", "The Matrix room does not give you the power for this.");
const inMatrix = refusal(
  "cancel",
  "not-allowed",
  "What Matrix users may do in this room is decided in Matrix, by its moderators.",
);

/** What moderators may do (XEP-0045 §8, §9, XEP-0425): as much as the Matrix room gives them the power for. */
export class Authority {
  constructor(
    private readonly room: RoomState,
    private readonly entrance: Entrance,
  ) {}

  /** Who has a role or an affiliation. */
  list(items: readonly MucItem[], session: string): Answered {
    const { room } = this;
    const asker = room.roster.ofSession(session);
    const [{ affiliation, role } = {}] = items;
    if (!asker) return forbidden;
    if (affiliation === "outcast") {
      if (room.standingOf(asker).role !== "moderator") return forbidden;
      return writeMucAdmin(room.parts.archive.banned(room.jid).map((jid) => ({ affiliation, jid })));
    }
    const wanted = [...room.roster.all()].filter((occupant) => {
      const standing = room.standingOf(occupant);
      return (
        (affiliation ?? standing.affiliation) === standing.affiliation && (role ?? standing.role) === standing.role
      );
    });
    const told = wanted.map((occupant) => ({ ...room.standingOf(occupant), ...this.#named(occupant) }));
    return writeMucAdmin(told);
  }

  /** Kicks, bans and the end of bans; all or nothing. */
  async change(items: readonly MucItem[], session: string): Promise<Answered> {
    const actor = this.room.roster.ofSession(session);
    if (!actor || items.length === 0 || items.length > 20) return forbidden;
    const changes = items.map((item) => this.#planned(actor, item));
    for (const change of changes) if ("condition" in change) return change;
    for (const change of changes) if ("run" in change) await change.run();
    return "done";
  }

  /** XEP-0425. */
  async moderate(target: string, reason: string | undefined, session: string): Promise<Answered> {
    const { room } = this;
    const { archive, network } = room.parts;
    const actor = room.roster.ofSession(session);
    if (!actor || room.powerOf(actor) < room.view.power.redact) return forbidden;
    const found = archive.find(room.jid, target);
    if (!found || found.kind !== "text")
      return refusal("cancel", "item-not-found", "The room does not know this message any more.");
    const id = randomUUID();
    await network.receive({
      kind: "redaction",
      id: RemoteMessageId(id),
      channel: room.channel,
      target: RemoteMessageId(target),
      sender: userOf(actor),
      ...(reason !== undefined && { reason }),
    });
    const ownId = occupantIdOf(room.parts, room.jid, actor.key);
    const envelope = {
      from: room.jid,
      type: "groupchat" as const,
      id,
      extra: [stanzaId(room.jid, id), occupantId(ownId)],
    };
    const by = { by: `${room.jid}/${actor.nick}`, occupantId: ownId, ...(reason !== undefined && { reason }) };
    const shown = writeModeration(envelope, target, by);
    archive.together(() => {
      archive.add(room.jid, {
        id,
        author: actor.key,
        nick: actor.nick,
        about: target,
        kind: "other",
        xml: shown.toString(),
      });
      archive.retract(room.jid, target, (of) => tombstone(of.xml, of.id, actor.nick));
    });
    void room.broadcast(shown);
    return "done";
  }

  #planned(actor: Person, item: MucItem): { readonly run: () => Promise<void> } | Refusal {
    const { room } = this;
    const { affiliation, role, nick, jid, reason } = item;
    const occupant = nick === undefined ? (jid === undefined ? undefined : room.named(jid)) : room.roster.ofNick(nick);
    if (role === "none" && affiliation === undefined) {
      if (!occupant) return refusal("cancel", "item-not-found", "There is nobody of that name in this room.");
      return this.#mayRemove(actor, occupant, room.view.power.kick) ?? this.#removal(actor, occupant, "kick", reason);
    }
    const bare = occupant?.key ?? bareJidOf(jid ?? "");
    if (bare === undefined || (affiliation !== "outcast" && affiliation !== "none")) return inMatrix;
    if (affiliation === "none") return this.#pardon(actor, bare);
    const denied = occupant
      ? this.#mayRemove(actor, occupant, room.view.power.ban)
      : room.powerOf(actor) < room.view.power.ban
        ? forbidden
        : undefined;
    if (denied) return denied;
    const removal = occupant && this.#removal(actor, occupant, "ban", reason);
    return {
      run: async () => {
        room.parts.archive.ban(room.jid, bare, reason);
        if (removal && "run" in removal) await removal.run();
      },
    };
  }

  #pardon(actor: Person, bare: string): { readonly run: () => Promise<void> } | Refusal {
    const { archive } = this.room.parts;
    const { jid } = this.room;
    if (!archive.isBanned(jid, bare)) return inMatrix;
    if (this.room.powerOf(actor) < this.room.view.power.ban) return forbidden;
    return {
      run: () => {
        archive.unban(jid, bare);
        return Promise.resolve();
      },
    };
  }

  /** Matrix lets nobody remove those who have as much power. */
  #mayRemove(actor: Person, occupant: Occupant, needed: number): Refusal | undefined {
    const { room } = this;
    if (room.powerOf(actor) < needed) return forbidden;
    if (occupant.is === "member") return inMatrix;
    return room.powerOf(actor) > room.powerOf(occupant)
      ? undefined
      : refusal("cancel", "not-allowed", `${occupant.nick} has as much power in the Matrix room as you have.`);
  }

  #removal(actor: Person, occupant: Occupant, change: "kick" | "ban", reason: string | undefined) {
    if (occupant.is === "member") return inMatrix;
    const leaving = {
      change,
      statuses: [change === "ban" ? 301 : 307],
      affiliation: change === "ban" ? ("outcast" as const) : ("none" as const),
      actor: actor.nick,
      by: userOf(actor),
      ...(reason !== undefined && { reason }),
    };
    return { run: () => this.entrance.remove(occupant, leaving) };
  }

  #named(occupant: Occupant): Pick<MucItem, "nick" | "jid"> {
    return occupant.is === "person" ? { nick: occupant.nick, jid: occupant.key } : { nick: occupant.nick };
  }
}

function userOf({ id, nick }: Person): RemoteUser {
  return { id, name: nick };
}
