import { effectIdOf } from "../bridge/effect-id.js";
import { askConnector, type Linker } from "../bridge/linker.js";
import type { BridgeRuntime } from "../bridge/runtime.js";
import type { Authors } from "../bridge/to-network/authors.js";
import type { NetworkCommand } from "../connector/commands.js";
import type { Author } from "../connector/effects.js";
import type { EffectId, RoomId, UserId } from "../connector/ids.js";
import type { Link } from "../mapping/links.js";
import { ServiceError } from "../services/services.js";
import type { Command, Invocation } from "./command.js";

export interface ChannelCommandParts {
  readonly runtime: BridgeRuntime;
  readonly linker: Linker;
  readonly authors: Authors;
}

/** Commands about channels that depend on what the network can do. */
export class ChannelCommands {
  constructor(readonly parts: ChannelCommandParts) {}

  all(): Readonly<Record<string, Command>> {
    const { handlers } = this.parts.runtime;
    const own = Object.entries(handlers.commands ?? {}).map(([name, command]) => [
      name,
      this.#ofNetwork(command, name),
    ]);
    return { ...this.#create(), ...(Object.fromEntries(own) as Record<string, Command>) };
  }

  #create(): Record<string, Command> {
    const { config, networkName, handlers } = this.parts.runtime;
    const { createChannels } = config;
    if (!handlers.createChannel || createChannels === "nobody") return {};
    return {
      create: {
        usage: "create <channel> [private]",
        summary: `makes a channel of ${networkName} and links this room to it`,
        level: createChannels,
        run: (call) => this.#make(call),
      },
    };
  }

  async #make({ event, room, user, argument }: Invocation): Promise<string> {
    const { runtime, linker } = this.parts;
    const words = argument.split(/\s+/).filter((word) => word !== "");
    const isPrivate = words.length > 1 && words.at(-1)?.toLowerCase() === "private";
    const name = (isPrivate ? words.slice(0, -1) : words).join(" ");
    const prefix = runtime.config.commandPrefix ?? `!${runtime.name}`;
    if (name === "") throw new ServiceError("invalid", `Say which channel: ${prefix} create <channel>`);
    const effect = effectIdOf(runtime.name, "create", event.event_id);
    const author = await this.#author(room, user);
    const link = await linker.create(room, user, (signal) =>
      runtime.handlers.createChannel?.({ effect, name, isPrivate, author, signal }),
    );
    return `${link.channelName} was made, and this room is linked to it.`;
  }

  #ofNetwork(command: NetworkCommand, name: string): Command {
    const { usage, summary } = command;
    return {
      usage: usage === undefined ? name : `${name} ${usage}`,
      summary,
      level: "user",
      run: (call) => this.#run(name, command, call),
    };
  }

  async #run(name: string, command: NetworkCommand, { event, room, user, argument }: Invocation): Promise<string> {
    const { runtime, linker } = this.parts;
    const link = this.#only(await runtime.links.ofRoom(room));
    if (command.forEverybody !== true) await linker.authorise(room, user);
    const author = await this.#author(room, user);
    const effect: EffectId = effectIdOf(runtime.name, `command ${name}`, event.event_id);
    return askConnector(runtime, (signal) => command.run({ effect, channel: link.channel, author, argument, signal }));
  }

  #only([link, ...others]: readonly Link[]): Link {
    if (!link) throw new ServiceError("notFound", "The room is not linked to anything.");
    if (others.length > 0)
      throw new ServiceError("conflict", "The room is linked to several channels: use a room that is linked to one.");
    return link;
  }

  async #author(id: RoomId, user: UserId): Promise<Author> {
    const author = await this.parts.authors.of(await this.parts.runtime.rooms.ensure(id), user);
    if (author.ok) return author.body;
    throw new ServiceError("unavailable", `The homeserver did not answer: ${author.failure.message}`);
  }
}
