import type { Database, Statement } from "better-sqlite3";
import type {
  ImportedGhost,
  ImportedLink,
  ImportedLogin,
  ImportedMessage,
  ImportedReaction,
  ImportedValue,
  ImportRecord,
} from "../connector/importer.js";
import { toMatrix } from "../delivery/entry.js";
import { loginIdOf } from "../mapping/logins.js";
import { isEventId, isRoomId, isUserId } from "../mapping/identifiers.js";
import { unknownSender } from "../mapping/messages.js";
import { eventHash, remoteHash } from "./message-writer.js";
import { migrate } from "./migrations.js";
import type { Secrets } from "./secrets.js";
import { Writer, type Write } from "./writes.js";

/** How many of a kind are new, and how many were there already. */
export interface ImportCounts {
  readonly added: number;
  readonly present: number;
}

export interface StoreImportOptions {
  /** The bridge's name. */
  readonly bridge: string;
  /** Whether a user is a ghost of the bridge. */
  readonly isOwnUser: (user: string) => boolean;
  readonly secrets: Secrets;
  /** In milliseconds since 1970. */
  readonly now: number;
  readonly remark: (kind: "obstacle" | "leftOut" | "toDo", reason: string, subject: string) => void;
}

/** So many messages are taken before they are brought into the indexes, where they are looked for. */
const messagesAtOnce = 20_000;
const plumbed = 1;

/** Takes records into a database in one transaction, which the caller alone works on. */
export class StoreImport {
  readonly counts = {
    ghosts: { added: 0, present: 0 },
    links: { added: 0, present: 0 },
    logins: { added: 0, present: 0 },
    messages: { added: 0, present: 0 },
    reactions: { added: 0, present: 0 },
  };
  readonly #writer: Writer;
  readonly #seed: number;
  readonly #bridge: number;
  readonly #rooms = new Map<string, number>();
  readonly #channels = new Map<string, number>();
  /** Messages that are not in the indexes yet: how many events each has, and which these are. */
  readonly #recentParts = new Map<string, number>();
  readonly #recent = new Set<string>();
  readonly #prepared = new Map<string, Statement>();

  /** @throws SchemaTooNew when a newer Trestle wrote the database */
  constructor(
    readonly db: Database,
    readonly options: StoreImportOptions,
  ) {
    db.pragma("journal_mode = WAL");
    db.pragma("synchronous = FULL");
    db.exec("BEGIN IMMEDIATE");
    migrate(db);
    this.#writer = new Writer(db);
    this.#writer.recover();
    // What is looked for here is looked for in the indexes.
    this.#writer.settle();
    this.#seed = Number(this.#value("SELECT value FROM meta WHERE key = 'hashSeed'"));
    this.#write(["addBridge", options.bridge]);
    this.#bridge = Number(this.#value("SELECT id FROM bridge WHERE name = ?", options.bridge));
  }

  add(record: ImportRecord): void {
    switch (record.kind) {
      case "ghost": {
        this.#ghost(record);
        return;
      }
      case "link": {
        this.#link(record);
        return;
      }
      case "login": {
        this.#login(record);
        return;
      }
      case "message": {
        this.#message(record);
        return;
      }
      case "reaction": {
        this.#reaction(record);
        return;
      }
      case "value": {
        this.#storage(record);
        return;
      }
      case "leftOut":
      case "toDo": {
        this.options.remark(record.kind, record.reason, record.subject);
        return;
      }
    }
  }

  /** Commits, or undoes everything. */
  end(commit: boolean): void {
    this.#settle();
    this.#writer.flush();
    this.db.exec(commit ? "COMMIT" : "ROLLBACK");
  }

  #ghost({ remote, user, name, avatar }: ImportedGhost): void {
    const { isOwnUser, remark } = this.options;
    if (!isUserId(user)) {
      remark("leftOut", "the ghost has no valid user id", user);
      return;
    }
    if (!isOwnUser(user)) {
      remark(
        "obstacle",
        "the registration does not cover the ghost's user id: add what it begins with to namespaces.users there, with trestle.ghost_prefix for new ghosts, and restart the homeserver",
        user,
      );
      return;
    }
    const before = this.#value("SELECT user FROM ghost WHERE bridge = ? AND remote = ?", this.#bridge, remote);
    if (before === user) return void (this.counts.ghosts.present += 1);
    if (before !== undefined) {
      remark("leftOut", "another ghost stands for the person already", `${user} (now ${before})`);
      return;
    }
    const id = this.#write(["addGhost", this.#bridge, remote, user]);
    if (id === 0) {
      remark("leftOut", "the ghost stands for another person already", user);
      return;
    }
    if (name !== undefined) this.#write(["setGhostName", name, id]);
    if (avatar !== undefined) this.#write(["setGhostAvatar", avatar, id]);
    this.counts.ghosts.added += 1;
  }

  #link({ room, channel, channelName }: ImportedLink): void {
    if (!isRoomId(room)) {
      this.options.remark("leftOut", "the link has no valid room id", `${room} ${channel}`);
      return;
    }
    const key = this.#channelKey(channel, channelName);
    const added = this.#write(["addLink", this.#roomKey(room), key, plumbed, "operator", this.options.now]);
    this.#count("links", added !== 0);
  }

  #login({ user, account, network = "" }: ImportedLogin): void {
    if (!isUserId(user)) {
      this.options.remark("leftOut", "the account belongs to nobody with a valid user id", `${user} ${account.name}`);
      return;
    }
    // One without a network may be for any: the connector says it when the bridge starts.
    const known = this.#value(
      "SELECT 1 FROM login WHERE bridge = ? AND user = ? AND network IN (?, '')",
      this.#bridge,
      user,
      network,
    );
    this.#count("logins", known === undefined);
    if (known !== undefined) return;
    const id = loginIdOf(this.#bridge, user, network);
    const secret = this.options.secrets.seal(JSON.stringify(account.secret), `login ${id}`);
    const { name, remoteUser = null } = account;
    this.#write(["setLogin", id, this.#bridge, user, network, name, remoteUser, secret, this.options.now]);
  }

  #message({ channel, remote, room, event, sender }: ImportedMessage): void {
    if (!isRoomId(room) || !isEventId(event)) {
      this.options.remark("leftOut", "the event has no valid event or room id", `${room} ${event}`);
      return;
    }
    const channelKey = this.#channelKey(channel, channel);
    const roomKey = this.#roomKey(room);
    const own = `${channelKey} ${event} ${remote}`;
    const isKnown =
      this.#recent.has(own) ||
      this.#value(
        "SELECT 1 FROM message_event i JOIN message m ON m.id = i.id WHERE i.hash = ? AND m.event = ? AND m.channel = ? AND m.remote = ?",
        eventHash(event, this.#seed),
        event,
        channelKey,
        remote,
      ) !== undefined;
    this.#count("messages", !isKnown);
    if (isKnown) return;
    const part = this.#nextPart(channelKey, remote, roomKey);
    this.#write(["mapMessage", channelKey, remote, part, roomKey, event, sender ?? unknownSender]);
    // Should the network tell it again, it is in the room already.
    this.#write(["remember", this.#bridge, toMatrix, room, `${channelKey}:message:${remote}`]);
    this.#recent.add(own);
    this.#recentParts.set(`${channelKey} ${roomKey} ${remote}`, part + 1);
    if (this.#recent.size >= messagesAtOnce) this.#settle();
  }

  /** Several events may be one message of the network: files that came with it, or its corrections. */
  #nextPart(channel: number, remote: string, room: number): number {
    const recent = this.#recentParts.get(`${channel} ${room} ${remote}`);
    if (recent !== undefined) return recent;
    const last = this.#value(
      "SELECT max(m.part) FROM message_remote i JOIN message m ON m.id = i.id WHERE i.hash = ? AND m.channel = ? AND m.remote = ? AND m.room = ?",
      remoteHash(channel, remote, room, this.#seed),
      channel,
      remote,
      room,
    );
    return typeof last === "number" ? last + 1 : 0;
  }

  #reaction({ channel, remote, room, event, key, sender }: ImportedReaction): void {
    if (!isRoomId(room) || !isEventId(event)) {
      this.options.remark("leftOut", "the reaction has no valid event or room id", `${room} ${event}`);
      return;
    }
    const known = this.#value("SELECT 1 FROM reaction WHERE event = ?", event);
    this.#count("reactions", known === undefined);
    if (known !== undefined) return;
    const [channelKey, roomKey] = [this.#channelKey(channel, channel), this.#roomKey(room)];
    this.#write(["mapReaction", channelKey, remote, roomKey, sender ?? unknownSender, key, event]);
  }

  #storage({ key, value }: ImportedValue): void {
    if (this.#value("SELECT 1 FROM storage WHERE bridge = ? AND key = ?", this.#bridge, key) !== undefined) return;
    const sealed = this.options.secrets.seal(value, `storage ${this.#bridge} ${key}`);
    this.#write(["setStorage", this.#bridge, key, sealed]);
  }

  #roomKey(room: string): number {
    return this.#keyOf(this.#rooms, room, ["addRoom", room], "SELECT id FROM room WHERE room = ?", room);
  }

  #channelKey(channel: string, name: string): number {
    const add: Write = ["addChannel", this.#bridge, channel, name, null];
    const select = "SELECT id FROM channel WHERE bridge = ? AND channel = ?";
    return this.#keyOf(this.#channels, channel, add, select, this.#bridge, channel);
  }

  #keyOf(known: Map<string, number>, id: string, add: Write, select: string, ...values: (string | number)[]): number {
    let key = known.get(id);
    if (key === undefined) {
      this.#write(add);
      key = Number(this.#value(select, ...values));
      known.set(id, key);
    }
    return key;
  }

  #count(kind: keyof StoreImport["counts"], isNew: boolean): void {
    this.counts[kind][isNew ? "added" : "present"] += 1;
  }

  #settle(): void {
    this.#writer.settle();
    this.#recent.clear();
    this.#recentParts.clear();
  }

  #write(write: Write): number {
    return this.#writer.run(write);
  }

  #value(sql: string, ...parameters: readonly (string | number)[]): string | number | undefined {
    let statement = this.#prepared.get(sql);
    if (!statement) {
      statement = this.db.prepare(sql).pluck();
      this.#prepared.set(sql, statement);
    }
    const value: unknown = statement.get(...parameters);
    return typeof value === "string" || typeof value === "number" ? value : undefined;
  }
}
