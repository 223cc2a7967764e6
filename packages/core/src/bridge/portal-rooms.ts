import { randomUUID } from "node:crypto";
import type { ChannelInfo } from "../connector/channel-info.js";
import { RoomAlias, type RoomId } from "../connector/ids.js";
import { done, toMatrix, type Verdict } from "../delivery/entry.js";
import type { Link } from "../mapping/links.js";
import { classify } from "../matrix/failure.js";
import type { MatrixFailure, MatrixResult } from "../matrix/result.js";
import { effectIdOf } from "./effect-id.js";
import type { Linker } from "./linker.js";
import { madeForKey } from "./made-rooms.js";
import { isCarried } from "./moderation/ranks.js";
import { initialState } from "./moderation/room-settings.js";
import { inTime } from "./pause.js";
import type { BridgeRuntime } from "./runtime.js";
import type { ToMatrixPayload } from "./to-matrix/payload.js";
import { verdictOf } from "./to-matrix/send.js";

/** Whoever asks waits at most so long, in milliseconds; the room is made all the same. */
const patienceMs = 30_000;

/** Whether there is a room for an alias now. */
type Outcome = MatrixResult<boolean>;

/**
 * Makes the rooms of aliases that somebody asked for. What was asked is journaled: a room whose making the bridge does not
 * outlive, or does not learn of, is linked all the same.
 */
export class PortalRooms {
  readonly #asked = new Map<string, Promise<boolean>>();
  /** Tells who asked for an alias what came of it. */
  readonly #told = new Map<string, (outcome: Outcome) => void>();

  constructor(
    readonly runtime: BridgeRuntime,
    readonly linker: Linker,
  ) {}

  /**
   * Resolves to whether the alias leads to a room now. Two people may ask at once: the room is made once.
   * @throws where the homeserver, or the disk, may answer otherwise when it is asked again
   */
  async ask(alias: string, channel: ChannelInfo): Promise<boolean> {
    const asked =
      this.#asked.get(alias) ??
      this.#ask(alias, channel).finally(() => {
        this.#asked.delete(alias);
        this.#told.delete(alias);
      });
    this.#asked.set(alias, asked);
    return asked;
  }

  async #ask(alias: string, channel: ChannelInfo): Promise<boolean> {
    const { journal, clock } = this.runtime;
    const told = new Promise<Outcome>((resolve) => this.#told.set(alias, resolve));
    const payload: ToMatrixPayload = { via: "portal", alias, channel };
    await journal.append([{ direction: toMatrix, lane: `portal ${channel.id}`, source: randomUUID(), payload }]);
    const outcome = await inTime(clock, patienceMs, told);
    if (!outcome) throw new Error(`The room for ${alias} takes longer than usual; it is made when its turn comes.`);
    if (!outcome.ok) throw new Error(`The room for ${alias} could not be found or made: ${outcome.failure.message}`);
    return outcome.body;
  }

  async deliver(alias: string, channel: ChannelInfo): Promise<Verdict> {
    const outcome = await this.#make(RoomAlias(alias), channel);
    this.#told.get(alias)?.(outcome);
    return outcome.ok ? done() : verdictOf(outcome.failure);
  }

  async #make(alias: RoomAlias, channel: ChannelInfo): Promise<Outcome> {
    const { client, config, rooms, serverName, log } = this.runtime;
    const pointed = await this.#pointToRoom(alias, channel);
    if (!pointed.ok || pointed.body) return pointed;
    const follows = isCarried(config.channelSettings, "portal", "toMatrix");
    const created = await client.createRoom({
      preset: "public_chat",
      name: channel.name,
      aliasLocalpart: alias.slice(1, -1 - serverName.length),
      creationContent: { [madeForKey]: this.#purposeOf(channel) },
      ...(channel.topic !== undefined && { topic: channel.topic }),
      ...(follows && channel.settings && { initialState: initialState(channel.id, channel.settings) }),
    });
    if (created.ok) {
      await rooms.setEncrypted(created.body.roomId, false);
      return this.#link(created.body.roomId, channel);
    }
    const { failure } = created;
    if (failure.kind === "answered" && failure.errcode === "M_ROOM_IN_USE") return this.#takeUp(alias, channel);
    if (mayPass(failure)) return created;
    log.warn({ alias, failure }, "The homeserver refused to make the room that somebody asked for");
    return no;
  }

  /**
   * Gives the alias to a room that stands for the channel already and that everybody may enter: people in two rooms of one
   * channel do not hear each other.
   */
  async #pointToRoom(alias: RoomAlias, channel: ChannelInfo): Promise<Outcome> {
    const { client, links } = this.runtime;
    for (const link of await links.ofChannel(channel.id)) {
      const { room } = link;
      if (!this.#standsFor(link) || this.linker.permissions.bansRoom(room)) continue;
      const rules = await client.getState({ room, type: "m.room.join_rules" });
      if (!rules.ok && mayPass(rules.failure)) return rules;
      if (!rules.ok || rules.body?.join_rule !== "public") continue;
      const pointed = await client.directory.setAlias(alias, room);
      if (pointed.ok || (pointed.failure.kind === "answered" && pointed.failure.status === 409)) return yes;
      if (mayPass(pointed.failure)) return pointed;
    }
    return no;
  }

  /** Whoever looks for a channel is not sent to the room of anybody who has linked one: admins have, or its people agreed. */
  #standsFor({ kind, by }: Link): boolean {
    if (kind !== "plumbed") return kind === "portal";
    const isByAdmin = by === "operator" || by === "config" || this.linker.permissions.atLeast(by, "admin");
    return isByAdmin || this.runtime.handlers.consent !== undefined;
  }

  /** The alias leads somewhere: to a room of ours that nobody linked, or to one that is not our business. */
  async #takeUp(alias: RoomAlias, channel: ChannelInfo): Promise<Outcome> {
    const { client, rooms } = this.runtime;
    const found = await client.directory.resolveAlias(alias);
    if (!found.ok) return mayPass(found.failure) ? found : yes;
    const room = found.body?.roomId;
    if (room === undefined) return no;
    const creation = await client.getState({ room, type: "m.room.create" });
    if (!creation.ok) return mayPass(creation.failure) ? creation : yes;
    if (creation.body?.[madeForKey] !== this.#purposeOf(channel)) return yes;
    const encryption = await client.getState({ room, type: "m.room.encryption" });
    if (!encryption.ok) return mayPass(encryption.failure) ? encryption : yes;
    await rooms.setEncrypted(room, encryption.body !== null);
    return this.#link(room, channel);
  }

  async #link(room: RoomId, channel: ChannelInfo): Promise<Outcome> {
    await this.linker.connect(room, channel, "portal", "operator");
    if (channel.settings?.secret !== true) await this.#publish(room);
    return yes;
  }

  /** Into the network's own list of the room directory, where people look for its channels. */
  async #publish(room: RoomId): Promise<void> {
    const { client, log, name } = this.runtime;
    const shown = await client.directory.setNetworkVisibility(name, room, "public");
    if (!shown.ok) log.warn({ room, failure: shown.failure }, "A room could not be put into the room directory");
  }

  #purposeOf(channel: ChannelInfo): string {
    return effectIdOf(this.runtime.name, "portal", channel.id);
  }
}

const yes: Outcome = { ok: true, body: true };
const no: Outcome = { ok: true, body: false };

/** Whether the homeserver may answer otherwise when it is asked again. */
function mayPass(failure: MatrixFailure): boolean {
  return classify(failure).action === "retry";
}
