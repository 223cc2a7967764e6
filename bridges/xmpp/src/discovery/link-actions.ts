import { describeStatus, RemoteUserId, type ChannelInfo, type Network, type RoomId } from "@trestle/core";
import { bareJidOf, bareOf, parseJid } from "../address/index.js";
import { element, ns } from "../content/index.js";
import { findRoom } from "../find-room.js";
import { Allowance } from "../gateway/allowance.js";
import type { Gateway } from "../gateway/index.js";
import { readMucAdmin, writeMucAdmin, type CommandNote } from "../protocol/index.js";
import { bridgeAddresses } from "../rooms/bridge-address.js";
import type { XmppStream } from "../stream/index.js";
import { failed, table, type Outcome } from "./commands.js";

export interface LinkActionsOptions {
  readonly stream: XmppStream;
  readonly network: Network;
  readonly domain: string;
  readonly gateway: Gateway | undefined;
}

/** So many of these one person does at once, and one more in so many milliseconds. */
const burst = 10;
const refillMs = 30_000;
const mostListed = 200;

/**
 * Links between rooms, for people of XMPP: what the commands in Matrix rooms do. On this side they must be an owner or admin
 * of the room, on the other a moderator of the Matrix room agrees.
 */
export class LinkActions {
  readonly #allowance = new Allowance(burst, refillMs, () => performance.now());

  constructor(private readonly options: LinkActionsOptions) {}

  async link({ room, matrix, asker }: { room: string; matrix: string; asker: string }): Promise<Outcome> {
    if (!this.#allowance.take(asker)) return failed(tooOften);
    if (!/^(?:#[^\s:]*:|!)\S+$/.test(matrix))
      return failed(`${shown(matrix)} is no Matrix room. Type its alias or id, such as #chat:example.org.`);
    try {
      const channel = await this.#wanted(room, matrix, asker);
      if ("text" in channel) return channel;
      const state = await this.options.network.requestLink({ channel, room: matrix, by: asker });
      return told(
        state === "linked"
          ? `${matrix} is now linked to ${channel.id}.`
          : `The people of ${matrix} are asked whether they want to be linked to ${channel.id}.`,
      );
    } catch (error) {
      // What is wrong is told to people.
      return failed(error instanceof Error ? error.message : String(error));
    }
  }

  async unlink({ room, asker }: { room: string; asker: string }): Promise<Outcome> {
    if (!this.#allowance.take(asker)) return failed(tooOften);
    const { network } = this.options;
    const links = await this.#linksOf(room);
    const [first] = links;
    if (!first) return failed(`${shown(room)} is not linked to a Matrix room.`);
    const denied = await this.#denied(first.channel, asker);
    if (denied) return denied;
    const removed = await network.removeLinks(first.channel, asker);
    return told(
      `${first.channel} is no longer linked to ${removed.length === 1 ? "its Matrix room" : "its Matrix rooms"}.`,
    );
  }

  async list({ room, asker }: { room: string; asker: string }): Promise<Outcome> {
    if (!this.#allowance.take(asker)) return failed(tooOften);
    if (room === "") return table((this.options.gateway?.publicRooms() ?? []).slice(0, mostListed));
    const links = await this.#linksOf(room);
    if (links.length === 0) return failed(`${shown(room)} is not linked to a Matrix room.`);
    const names = await Promise.all(links.map((link) => this.#nameOf(link.room)));
    return told(names.map((name) => `Linked to ${name}.`).join("\n"));
  }

  async status(): Promise<Outcome> {
    const { network, domain } = this.options;
    const status = await network.status();
    // Which rooms are linked is not for everybody.
    return told(
      describeStatus({ ...status, connections: status.connections.filter(({ connection }) => connection === domain) }),
    );
  }

  /** What is to be linked: a room of XMPP that the asker may change, or the Matrix room as one of the gateway. */
  async #wanted(room: string, matrix: string, asker: string): Promise<ChannelInfo | CommandNote> {
    const { stream, gateway } = this.options;
    if (room === "") return gateway?.addressOf(matrix) ?? failed("Matrix rooms cannot be joined from XMPP here.");
    const own = await gateway?.resolve(room, undefined);
    if (own) return own;
    const found = await findRoom(stream, room);
    if (!found) return failed(`There is no room ${shown(room)}.`);
    return (await this.#denied(found.id, asker)) ?? found;
  }

  async #linksOf(room: string) {
    const jid = parseJid(room.replace(/^xmpp:/i, "").split("?", 1)[0] ?? "");
    if (jid?.local === undefined) return [];
    const address = bareOf(jid);
    return (await this.options.network.links()).filter(({ channel, kind }) => channel === address && kind !== "direct");
  }

  /** Of a room that is not for everybody nothing is told. */
  async #nameOf(room: RoomId): Promise<string> {
    const view = await this.options.network.lookAtRoom(room).catch(() => undefined);
    if (view?.joinRule !== "public") return "a private Matrix room";
    return view.alias ?? view.name ?? room;
  }

  /** Why somebody may not change what a room is linked to; `undefined` where they may. */
  async #denied(room: string, asker: string): Promise<CommandNote | undefined> {
    const { gateway, domain } = this.options;
    if (gateway?.owns(room) === true) {
      const power = await gateway.powerIn(room, RemoteUserId(asker));
      return power >= 100 ? undefined : failed("Only who has power level 100 in the Matrix room may do this here.");
    }
    const lists = await Promise.all([this.#named(room, "admin"), this.#named(room, "owner")]);
    if (lists.some((named) => named?.includes(asker))) return undefined;
    if (lists.includes(undefined))
      return failed(
        `${room} does not tell the bridge who its owners are. Make ${bareJidOf(bridgeAddresses(domain)[0])} an owner of it, or an admin where that is enough (ejabberd); or have a moderator of the Matrix room do it there.`,
      );
    return failed(`Only owners and admins of ${room} may do this.`);
  }

  /**
   * Who has an affiliation in a room, by bare JIDs (XEP-0045 §9.5, §10.5); `undefined` where it does not tell. Prosody names
   * owners to owners alone; ejabberd names them to admins too.
   */
  async #named(room: string, affiliation: "owner" | "admin"): Promise<readonly string[] | undefined> {
    const { stream, domain } = this.options;
    for (const from of bridgeAddresses(domain)) {
      const iq = element("iq", { type: "get", from, to: room }, writeMucAdmin([{ affiliation }]));
      const answer = await stream.request(iq);
      const query = answer.kind === "result" ? answer.stanza.getChild("query", ns.mucAdmin) : undefined;
      if (query) return readMucAdmin(query).flatMap(({ jid }) => bareJidOf(jid ?? "") ?? []);
    }
    return undefined;
  }
}

const tooOften = "That is too much at once. Try again in a minute.";

function told(text: string): CommandNote {
  return { type: "info", text };
}

function shown(text: string): string {
  return text.slice(0, 300);
}
