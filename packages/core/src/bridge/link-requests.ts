import { LRUCache } from "lru-cache";
import type { Consent } from "../connector/commands.js";
import type { ChannelLink } from "../connector/connector.js";
import type { LinkRequest } from "../connector/link-request.js";
import type { ChannelId, RoomId } from "../connector/ids.js";
import { atMost } from "../mapping/cache-bound.js";
import type { Logins } from "../mapping/logins.js";
import { otherRoomsNote } from "../services/link-note.js";
import { ServiceError } from "../services/services.js";
import { effectIdOf } from "./effect-id.js";
import type { Linker } from "./linker.js";
import type { BridgeRuntime } from "./runtime.js";

export interface LinkRequestParts {
  readonly runtime: BridgeRuntime;
  readonly linker: Linker;
  readonly logins: Logins;
}

/** So long nobody in a room is asked for the same again. */
const askedMs = 60 * 60_000;
/** So often a room is asked for anything in that time. */
const mostAsked = 5;

/**
 * Links that people ask for on the network. What they may do there is the connector's to know; a room is linked only by
 * somebody who may change it: the asker themselves where they are signed in, otherwise a moderator who is asked there.
 */
export class LinkRequests {
  readonly #asked = new LRUCache<string, true>({ ...atMost(5_000), ttl: askedMs });
  readonly #asks = new LRUCache<string, number>({ ...atMost(5_000), ttl: askedMs, noUpdateTTL: true });

  constructor(readonly parts: LinkRequestParts) {}

  /** @throws ServiceError that tells a person what is missing */
  async request({ channel, room: roomText, by, login }: LinkRequest): Promise<"linked" | "asked"> {
    const { runtime, linker, logins } = this.parts;
    const room = await linker.roomOf(roomText);
    await this.#mustBeIn(room);
    const links = await runtime.links.ofRoom(room);
    if (links.some((link) => link.channel === channel.id))
      throw new ServiceError("conflict", `The room is linked to ${channel.name} already.`);
    const known = login === undefined ? undefined : await logins.find(login);
    if (known) {
      await linker.link(room, channel.id, known.user);
      return "linked";
    }
    await linker.refuseEncrypted(room);
    await this.#ask(room, channel, by);
    return "asked";
  }

  /** Somebody on the network was asked whether a room may be linked, and has answered. */
  async consented({ room, channel, agreed, by, askedBy }: Consent): Promise<boolean> {
    const result = await this.parts.linker.consented(room, channel, agreed, askedBy);
    if (result === undefined) return false;
    await this.#say(
      room,
      result === "refused"
        ? `${oneLine(by)} does not want this room to be linked to ${oneLine(channel)}.`
        : `${oneLine(by)} agrees: this room is now linked to ${oneLine(`${result.channelName}.${otherRoomsNote(result)}`)}`,
    );
    return true;
  }

  /** Whoever may say so on the network takes the channel away from rooms. */
  async remove(channel: ChannelId, by: string): Promise<readonly ChannelLink[]> {
    const { runtime, linker } = this.parts;
    const links = [...(await runtime.links.ofChannel(channel))];
    for (const link of links) {
      await linker.disconnect(link);
      await this.#say(link.room, `${oneLine(by)} has removed the link of this room to ${link.channelName}.`).catch(
        (error: unknown) =>
          runtime.log.warn({ err: error, room: link.room }, "A room could not be told that it is unlinked"),
      );
    }
    return links.map(({ channel: id, room, kind }) => ({ channel: id, room, kind }));
  }

  /** The bot enters no room because somebody elsewhere names it. */
  async #mustBeIn(room: RoomId): Promise<void> {
    const { client, bot } = this.parts.runtime;
    const state = await client.getState({ room, type: "m.room.member", stateKey: bot });
    if (state.ok && state.body?.membership === "join") return;
    if (!state.ok && state.failure.kind !== "answered")
      throw new ServiceError("unavailable", `The homeserver did not answer: ${state.failure.message}`);
    throw new ServiceError("forbidden", `The bridge bot is not in the room: have ${bot} invited there first.`);
  }

  async #ask(room: RoomId, channel: LinkRequest["channel"], by: string): Promise<void> {
    const { runtime } = this.parts;
    const key = `${room}|${channel.id}`;
    if (this.#asked.has(key)) return;
    const asks = this.#asks.get(room) ?? 0;
    if (asks >= mostAsked)
      throw new ServiceError("forbidden", "The room was asked too often lately. Try again in an hour.");
    const prefix = runtime.config.commandPrefix ?? `!${runtime.name}`;
    await this.#say(
      room,
      `${oneLine(by)} on ${runtime.networkName} asks to link this room to ${oneLine(channel.name)}. A moderator of the room agrees with: ${prefix} link ${channel.id}`,
    );
    this.#asked.set(key, true);
    this.#asks.set(room, asks + 1);
  }

  /** @throws ServiceError */
  async #say(room: RoomId, text: string): Promise<void> {
    const { runtime } = this.parts;
    const sent = await runtime.client.sendEvent({
      room,
      type: "m.room.message",
      content: { msgtype: "m.notice", body: text, "m.mentions": {} },
      txnId: effectIdOf(runtime.name, "link request", room, text, runtime.clock.now()),
    });
    if (!sent.ok) throw new ServiceError("unavailable", `Nothing could be said in the room: ${sent.failure.message}`);
  }
}

/** A name must not look like more than one. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim().slice(0, 200);
}
