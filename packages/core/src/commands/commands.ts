import { LRUCache } from "lru-cache";
import type { MatrixEvent } from "../appservice/event.js";
import { describeStatus } from "../connector/bridge-status.js";
import { RoomId, UserId } from "../connector/ids.js";
import { done, type Entry, type Verdict } from "../delivery/entry.js";
import { effectIdOf } from "../bridge/effect-id.js";
import { bannedText, type Linker } from "../bridge/linker.js";
import type { Permissions } from "../bridge/permissions.js";
import type { BridgeRuntime } from "../bridge/runtime.js";
import type { Authors } from "../bridge/to-network/authors.js";
import type { MatrixSender } from "../bridge/to-matrix/send.js";
import type { BegunLogins } from "../mapping/begun-logins.js";
import { atMost } from "../mapping/cache-bound.js";
import type { Logins } from "../mapping/logins.js";
import { comesBackNote, otherRoomsNote } from "../services/link-note.js";
import { ServiceError, type Services } from "../services/services.js";
import { ChannelCommands } from "./channel-commands.js";
import type { Command, Invocation } from "./command.js";
import { LoginDialogues } from "./login.js";
import { editedBy, isCommand } from "./recognise.js";

export interface CommandParts {
  readonly runtime: BridgeRuntime;
  readonly permissions: Permissions;
  readonly linker: Linker;
  readonly logins: Logins;
  readonly begun: BegunLogins;
  readonly authors: Authors;
  readonly sender: MatrixSender;
  readonly services: () => Services;
}

/** Commands without the prefix while a login asks for something: of any other a password may be made. */
const whileAsked: ReadonlySet<string> = new Set(["cancel", "help", "login"]);

/** What people type to the bridge in a room. Each command answers with one notice. */
export class Commands {
  readonly #channels: ChannelCommands;
  readonly #dialogues: LoginDialogues;
  readonly #unsaid = new LRUCache<string, string>(atMost(1_000));
  #known: ReadonlyMap<string, Command> | undefined;

  constructor(readonly parts: CommandParts) {
    this.#channels = new ChannelCommands(parts);
    this.#dialogues = new LoginDialogues(parts);
  }

  /** What the network can do is known when it is connected. */
  get #commands(): ReadonlyMap<string, Command> {
    this.#known ??= new Map(Object.entries({ ...this.#channels.all(), ...this.#all() }));
    return this.#known;
  }

  /** Whether a login waits for what somebody says in a room, or it edits what one was told. */
  awaitsAnswer(event: MatrixEvent): boolean {
    return this.#dialogues.concerns(event);
  }

  /** Finds the logins that ended with a process that died: what their people type is still taken for an answer. */
  load(): Promise<void> {
    return this.#dialogues.load();
  }

  /** Tells those people; call when there is a way to Matrix. */
  tellInterrupted(): Promise<void> {
    return this.#dialogues.tellInterrupted();
  }

  /** Logins that are under way end, and their people are told. */
  stop(): Promise<void> {
    return this.#dialogues.stop();
  }

  async run(entry: Entry, event: MatrixEvent, text: string): Promise<Verdict> {
    const { runtime, sender } = this.parts;
    const room = await runtime.rooms.ensure(RoomId(event.room_id));
    // An answer that could not be given yet is given again: what was done is not done twice.
    const reply = this.#unsaid.get(event.event_id) ?? (await this.#answer(event, room.id, text));
    if (reply === undefined) return done();
    this.#unsaid.set(event.event_id, reply);
    const content = {
      msgtype: "m.notice",
      body: reply,
      "m.mentions": { user_ids: [event.sender] },
      "m.relates_to": { "m.in_reply_to": { event_id: event.event_id } },
    };
    const effect = effectIdOf(runtime.name, "answer", event.event_id);
    const sent = await sender.send(entry, room, undefined, { type: "m.room.message", content, effect });
    if (!sent.sent) return sent.verdict;
    this.#unsaid.delete(event.event_id);
    return done();
  }

  async #answer(event: MatrixEvent, room: RoomId, text: string): Promise<string | undefined> {
    const user = UserId(event.sender);
    if (this.parts.permissions.bans(user)) return bannedText;
    // What was typed first may be done already.
    if (editedBy(event) !== undefined) return this.#dialogues.edited(event);
    const [word = "", ...rest] = text.split(/\s+/);
    const name = word === "" ? "help" : word.toLowerCase();
    const command = this.#commands.get(name);
    const isPrefixed = isCommand(event, this.#prefix);
    const isAnswer = command ? !isPrefixed && !whileAsked.has(name) && this.#dialogues.isAsking(user, room) : true;
    if (isAnswer && this.#dialogues.isOpen(user, room)) return this.#dialogues.input(user, room, text, event);
    if (!command) {
      // It may be the answer to a login that ended with the process before, and a secret.
      const named = isPrefixed ? `There is no command ${word}.` : "That is no command.";
      return `${named} Try: ${this.#prefix} help`;
    }
    if (!this.parts.permissions.atLeast(user, command.level)) {
      return `You may not use ${word}: it needs the level “${command.level}”, which the operator of the bridge gives.`;
    }
    try {
      return await command.run({ event, room, user, argument: rest.join(" ") });
    } catch (error) {
      if (error instanceof ServiceError) return error.message;
      throw error;
    }
  }

  get #prefix(): string {
    return this.parts.runtime.config.commandPrefix ?? `!${this.parts.runtime.name}`;
  }

  #all(): Record<string, Command> {
    const { linker, runtime } = this.parts;
    return {
      help: { usage: "help", summary: "this list", level: "relay", run: () => Promise.resolve(this.#help()) },
      link: {
        usage: "link <channel>",
        summary: `links this room to a channel of ${runtime.networkName}`,
        level: "user",
        run: async ({ room, user, argument }) => {
          if (argument === "") throw new ServiceError("invalid", `Say which channel: ${this.#prefix} link <channel>`);
          const link = await linker.request(room, argument, user);
          if (link === "asked")
            return `The people of ${argument} are asked whether they want that. This room is told what they answer, within the hour.`;
          return `This room is now linked to ${link.channelName}.${otherRoomsNote(link)}`;
        },
      },
      unlink: {
        usage: "unlink [channel]",
        summary: "removes the link of this room",
        level: "user",
        run: async ({ room, user, argument }) => {
          const links = await linker.unlink(room, argument === "" ? undefined : argument, user);
          return `No longer linked to ${links.map((link) => link.channelName).join(", ")}.${comesBackNote(links)}`;
        },
      },
      list: {
        usage: "list",
        summary: "what this room is linked to; for admins all links",
        level: "relay",
        run: (call) => this.#list(call),
      },
      status: {
        usage: "status",
        summary: "how the connections are and what waits",
        level: "relay",
        run: () => this.#status(),
      },
      ...this.#ofAccounts(),
    };
  }

  #ofAccounts(): Record<string, Command> {
    const { names = [] } = this.parts.runtime.handlers.accountNetworks ?? {};
    const network = names.length > 1 ? " <network>" : "";
    return {
      login: {
        usage: `login${network}`,
        summary: "signs you in with an account of your own",
        level: "user",
        run: ({ user, room, argument }) => this.#dialogues.begin(user, room, argument),
      },
      logout: {
        usage: `logout${network}`,
        summary: "forgets your account",
        level: "user",
        run: ({ user, argument }) => this.#dialogues.logout(user, argument),
      },
      logins: {
        usage: "logins",
        summary: "the accounts you have signed in to",
        level: "user",
        run: ({ user }) => this.#dialogues.list(user),
      },
      cancel: {
        usage: "cancel",
        summary: "ends a login that was begun",
        level: "relay",
        run: ({ user }) => Promise.resolve(this.#dialogues.cancel(user)),
      },
    };
  }

  #help(): string {
    const { networkName } = this.parts.runtime;
    const lines = [...this.#commands.values()].map(
      (command) => `${this.#prefix} ${command.usage} – ${command.summary}`,
    );
    return [`This is the bridge to ${networkName}.`, ...lines].join("\n");
  }

  async #list({ room, user }: Invocation): Promise<string> {
    const { runtime, permissions } = this.parts;
    const here = await runtime.links.ofRoom(room);
    const links = permissions.atLeast(user, "admin") && here.length === 0 ? await runtime.links.all() : here;
    if (links.length === 0) return `This room is not linked. Link it with: ${this.#prefix} link <channel>`;
    return links
      .map((link) => (link.room === room ? `linked to ${link.channelName}` : `${link.room} – ${link.channelName}`))
      .join("\n");
  }

  async #status(): Promise<string> {
    const status = await this.parts.services().status();
    const bridge = status.bridges.find((each) => each.name === this.parts.runtime.name);
    return bridge ? describeStatus(bridge) : "The bridge is starting.";
  }
}
