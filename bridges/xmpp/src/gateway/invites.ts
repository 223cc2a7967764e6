import { randomUUID } from "node:crypto";
import {
  refused as refusedEffect,
  RemoteMessageId,
  RemoteUserId,
  retry,
  type InviteEffect,
  type Outcome,
  type UserId,
} from "@trestle/core";
import { bareJidOf, bareOf, localOfUser, parseJid, userOfLocal } from "../address/index.js";
import { uriOfJid, writeDeclined, writeMediatedInvite, type MessageWhat, type XmlElement } from "../content/index.js";
import { refusal, refused, type Refusal } from "./errors.js";
import type { RoomState } from "./room-state.js";
import type { Person } from "./roster.js";
import { upToDate } from "./up-to-date.js";

type Wanted<Kind extends MessageWhat["kind"]> = Extract<MessageWhat, { kind: Kind }>;

const mostAtOnce = 10;
const tooOften = refusal("wait", "policy-violation", "You invite too many at once. Try again in a minute.");
const mayNot = refusal("auth", "forbidden", "The Matrix room does not give you the power to invite anybody.");
const nobody = refusal("cancel", "item-not-found", "On Matrix nobody has this address.");

/**
 * Who asks whom to come (XEP-0045 §7.8.2, XEP-0249): people of XMPP and Matrix users, each the others. Where the room is for
 * the invited alone, Matrix is asked to invite the ghost, who may then come.
 */
export class Invites {
  constructor(private readonly room: RoomState) {}

  /** An occupant asks the room to invite others. */
  async requested(stanza: XmlElement, person: Person, { to, reason }: Wanted<"inviteRequest">): Promise<void> {
    const { room } = this;
    await upToDate(room);
    for (const address of to.slice(0, mostAtOnce)) {
      const why = await this.#ask(person, address, reason);
      const answer = why && refused(stanza, why);
      if (answer) await room.tell(stanza.attrs["from"] ?? "", answer);
    }
  }

  /** A Matrix user is asked to come, by somebody in the room; why not, where they are not. */
  async ofUser(person: Person, userId: UserId, reason: string | undefined): Promise<Refusal | undefined> {
    const { room } = this;
    const { network, allowance } = room.parts;
    if (!allowance.take(person.key)) return tooOften;
    if (!this.#may(person)) return mayNot;
    const found = await network.lookUpUser(userId);
    if (found.is === "own" && found.person !== undefined && bareJidOf(found.person) !== undefined)
      return {
        ...refusal("modify", "redirect", `This address stands for ${found.person}: invite them there.`),
        address: uriOfJid(found.person),
      };
    if (found.is !== "user") return nobody;
    if (room.view.known?.members.some((member) => member.userId === userId) === true)
      return refusal("cancel", "conflict", `${userId} is in this room already.`);
    await this.#invitation(person, { userId }, reason);
    return undefined;
  }

  /** Somebody who was asked would rather not come: whoever asked is told. */
  declined(session: string, { to, reason }: Wanted<"declineRequest">): Promise<void> | undefined {
    const { room } = this;
    const bare = bareJidOf(session) ?? session;
    const asker = to === undefined ? undefined : room.named(to);
    if (!asker || !room.parts.allowance.take(bare)) return undefined;
    if (asker.is === "person") {
      const envelope = { from: room.jid, type: "normal" as const, id: randomUUID() };
      void room.tell([...asker.sessions.keys()], writeDeclined(envelope, bare, reason));
      return undefined;
    }
    return room.parts.network.receive({
      kind: "declined",
      id: RemoteMessageId(`declined ${randomUUID()}`),
      channel: room.channel,
      who: { id: RemoteUserId(bare) },
      how: "declined",
      userId: asker.userId,
      ...(reason !== undefined && { reason }),
    });
  }

  /** A Matrix user asks somebody of XMPP to come. */
  told({ who, author, reason }: InviteEffect): Outcome {
    const { room } = this;
    const { stream, config } = room.parts;
    const jid = parseJid(who);
    if (jid?.local === undefined || jid.domain === config.domain || jid.resource !== undefined)
      return refusedEffect(`${who} is no address to which an invitation could be sent`);
    if (stream.state.state !== "online") return retry("Not connected to the XMPP server");
    room.invite(who);
    const inviter = room.roster.members.get(author.userId);
    const by = inviter ? `${room.jid}/${inviter.nick}` : `${localOfUser(author.userId)}@${config.domain}`;
    this.#tell(who, by, reason);
    return undefined;
  }

  async #ask(person: Person, address: string, reason: string | undefined): Promise<Refusal | undefined> {
    const { room } = this;
    const { config, archive, allowance } = room.parts;
    const jid = parseJid(address);
    if (!jid) return refusal("modify", "jid-malformed", `${address.slice(0, 300)} is no address.`);
    if (jid.domain === config.domain) {
      const user = jid.local === undefined ? undefined : userOfLocal(jid.local);
      return user === undefined ? nobody : this.ofUser(person, user, reason);
    }
    if (!allowance.take(person.key)) return tooOften;
    const bare = bareOf(jid);
    if (archive.isBanned(room.jid, bare)) return refusal("auth", "forbidden", `${bare} is banned from this room.`);
    if (room.isMembersOnly) {
      if (!this.#may(person)) return mayNot;
      room.invite(bare);
      await this.#invitation(person, { bare }, reason);
    }
    this.#tell(address, `${room.jid}/${person.nick}`, reason);
    return undefined;
  }

  #may(person: Person): boolean {
    return this.room.powerOf(person) >= this.room.view.power.invite;
  }

  #tell(to: string, by: string, reason: string | undefined): void {
    const envelope = { from: this.room.jid, type: "normal" as const, id: randomUUID() };
    void this.room.tell(to, writeMediatedInvite(envelope, { by, ...(reason !== undefined && { reason }) }));
  }

  #invitation(
    { id, nick }: Person,
    who: { readonly userId: UserId } | { readonly bare: string },
    reason: string | undefined,
  ): Promise<void> {
    const { network } = this.room.parts;
    return network.receive({
      kind: "invitation",
      id: RemoteMessageId(`invite ${randomUUID()}`),
      channel: this.room.channel,
      by: { id, name: nick },
      who: "userId" in who ? who : { person: { id: RemoteUserId(who.bare) } },
      ...(reason !== undefined && { reason }),
    });
  }
}
