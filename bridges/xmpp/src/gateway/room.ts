import type { ChannelId, RoomId } from "@trestle/core";
import { formatJid, type Jid } from "../address/index.js";
import { localName, mucUser, readMessage, writePresence, type XmlElement } from "../content/index.js";
import { Authority } from "./authority.js";
import { Entrance } from "./entrance.js";
import type { GatewayParts } from "./parts.js";
import { Invites } from "./invites.js";
import { Queries } from "./queries.js";
import { RoomState } from "./room-state.js";
import { Told } from "./told.js";
import { Voice } from "./voice.js";

/** One Matrix room, as a room of XMPP. */
export class GatewayRoom {
  readonly state: RoomState;
  readonly told: Told;
  readonly invites: Invites;
  readonly #entrance: Entrance;
  readonly #voice: Voice;
  readonly #queries: Queries;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(parts: GatewayParts, channel: ChannelId, room: RoomId, isBlocked: (jid: Jid) => boolean) {
    this.state = new RoomState(parts, channel, room);
    this.#entrance = new Entrance(this.state, isBlocked);
    this.told = new Told(this.state, this.#entrance);
    this.invites = new Invites(this.state);
    this.#voice = new Voice(this.state, this.#entrance, this.invites);
    this.#queries = new Queries(this.state, new Authority(this.state, this.#entrance), isBlocked);
    void this.#resume();
  }

  /** Takes what comes from a client; in order for each. */
  take(stanza: XmlElement, from: Jid, nick: string | undefined): Promise<void> | undefined {
    const session = formatJid(from);
    switch (localName(stanza)) {
      case "presence":
        return this.#inOrder(session, () => this.#entrance.presence(stanza, from, nick));
      case "message":
        if (nick !== undefined && readMessage(stanza).what.kind !== "error")
          return this.#voice.refusePrivate(stanza, nick);
        return this.#inOrder(session, () => this.#voice.message(stanza, session));
      case "iq":
        return this.#inOrder(session, () => this.#queries.query(stanza, from, nick));
      default:
        return undefined;
    }
  }

  /** The stream is up: whoever was here before comes in again. */
  online(): void {
    if (this.#isClosed) return;
    this.#entrance.expel(333);
    clearTimeout(this.#timer);
    const { tuning, network } = this.state.parts;
    this.#timer = setTimeout(() => {
      this.#entrance.forgetMissed().catch((error: unknown) => {
        network.log.error(
          { err: error, room: this.state.jid },
          "Who did not come back could not be taken out of a room",
        );
      });
    }, tuning.rejoinMs);
    this.#timer.unref();
  }

  /** The bridge ends, and may come back. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#entrance.expel(332);
  }

  /** The room is no longer linked (XEP-0045 §10.9). */
  async unlink(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const { roster, jid, parts } = this.state;
    for (const person of roster.people.values()) {
      const user = mucUser({ items: [{ affiliation: "none", role: "none" }], statuses: [110], destroyed: {} });
      const stanza = writePresence({ from: `${jid}/${person.nick}`, type: "unavailable", extra: [user] });
      await this.state.tell([...person.sessions.keys()], stanza);
    }
    parts.archive.forget(jid);
  }

  async #resume(): Promise<void> {
    try {
      await this.#voice.resume();
    } catch (error) {
      const { network, ...parts } = this.state.parts;
      network.log.error({ err: error, room: this.state.jid }, "What was said before a restart could not be carried on");
      parts.stream.interrupt("What was said before a restart could not be kept");
    }
  }

  #inOrder(session: string, work: () => Promise<void> | undefined): Promise<void> | undefined {
    return this.state.parts.lanes.run(`${this.state.jid} ${session}`, work);
  }
}
