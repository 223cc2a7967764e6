import {
  ClientEvent,
  createClient,
  Direction,
  Filter,
  MatrixError,
  Method,
  Preset,
  SyncState,
  type ICreateRoomOpts,
  type MatrixClient,
  type MatrixEvent,
} from "matrix-js-sdk";
import loglevel from "loglevel";
import { patiently, within } from "./bounded.js";
import { Inbox } from "./inbox.js";
import "./long-timers.js";
import { asRecord, asText, readEvent, type SeenEvent } from "./seen-event.js";

export interface Credentials {
  readonly userId: string;
  readonly accessToken: string;
  readonly deviceId: string;
}

export interface RoomOptions {
  readonly name?: string;
  readonly topic?: string;
  /** The homeserver's default where absent. */
  readonly version?: string;
  readonly invite?: readonly string[];
  /** `private_chat` where absent. */
  readonly preset?: "private_chat" | "public_chat" | "trusted_private_chat";
  readonly alias?: string;
  readonly direct?: boolean;
  readonly initialState?: ICreateRoomOpts["initial_state"];
  /** Replaces parts of the power levels that the homeserver gives. */
  readonly powerLevels?: Readonly<Record<string, unknown>>;
}

const WAIT = 20_000;
const LONGEST_HISTORY = 100_000;
const SYNC_LIMIT = 2_000;
const PRESETS = {
  private_chat: Preset.PrivateChat,
  public_chat: Preset.PublicChat,
  trusted_private_chat: Preset.TrustedPrivateChat,
};
// Parts of the SDK ignore the logger they are given and derive theirs from its own, whose methods they take over.
const sdkLogger = loglevel.getLogger("matrix");
sdkLogger.methodFactory = () => nothing;
for (const logger of Object.values(loglevel.getLoggers())) logger.setLevel("silent", false);
const silent = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing, getChild: () => silent };

/** A person on a Matrix homeserver, through matrix-js-sdk: what they see and do is what a client of that family would. */
export class Person {
  readonly #inbox: Inbox<SeenEvent>;

  private constructor(
    readonly client: MatrixClient,
    readonly userId: string,
    readonly credentials: Credentials,
  ) {
    this.#inbox = new Inbox(
      `${userId} on Matrix`,
      (event) => `${event.roomId} ${event.type} ${event.sender} ${JSON.stringify(event.content)}`,
    );
  }

  /** Makes an account by open registration and begins to sync. */
  static async register(url: string, localpart: string, password = `${localpart}-password`): Promise<Person> {
    const anonymous = createClient({ baseUrl: url, logger: silent });
    const body = {
      username: localpart,
      password,
      initial_device_display_name: "test",
      auth: { type: "m.login.dummy" },
    };
    const answer = await anonymous.registerRequest(body);
    if (answer.access_token === undefined || answer.device_id === undefined)
      throw new Error(`The registration of ${localpart} came without an access token.`);
    return Person.resume(url, { userId: answer.user_id, accessToken: answer.access_token, deviceId: answer.device_id });
  }

  /** Logs in with a password and begins to sync. */
  static async login(url: string, localpart: string, password = `${localpart}-password`): Promise<Person> {
    const anonymous = createClient({ baseUrl: url, logger: silent });
    const answer = await anonymous.loginRequest({
      type: "m.login.password",
      identifier: { type: "m.id.user", user: localpart },
      password,
    });
    return Person.resume(url, { userId: answer.user_id, accessToken: answer.access_token, deviceId: answer.device_id });
  }

  /** Begins to sync with an access token; resolves after the first answer. */
  static async resume(url: string, credentials: Credentials): Promise<Person> {
    const { userId, accessToken, deviceId } = credentials;
    const client = createClient({ baseUrl: url, userId, accessToken, deviceId, logger: silent });
    const person = new Person(client, userId, credentials);
    client.on(ClientEvent.Event, (event) => person.#see(event));
    const filter = new Filter(userId);
    filter.setDefinition({ room: { timeline: { limit: SYNC_LIMIT } } });
    const synced = new Promise<void>((resolve) => {
      client.on(ClientEvent.Sync, (state) => {
        if (state === SyncState.Prepared) resolve();
      });
    });
    await client.startClient({
      filter,
      initialSyncLimit: SYNC_LIMIT,
      lazyLoadMembers: false,
      disablePresence: true,
      pollTimeout: 10_000,
    });
    await within(WAIT, `the first sync of ${userId}`, synced);
    return person;
  }

  /** Ends the sync. */
  stop(): void {
    this.client.stopClient();
  }

  /** Tries again at once, after the homeserver was away. */
  reconnect(): void {
    this.client.retryImmediately();
  }

  async createRoom(options: RoomOptions = {}): Promise<string> {
    const { room_id } = await this.client.createRoom({
      preset: PRESETS[options.preset ?? "private_chat"],
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options.topic === undefined ? {} : { topic: options.topic }),
      ...(options.version === undefined ? {} : { room_version: options.version }),
      ...(options.alias === undefined ? {} : { room_alias_name: options.alias }),
      ...(options.direct === undefined ? {} : { is_direct: options.direct }),
      ...(options.initialState === undefined ? {} : { initial_state: options.initialState }),
      ...(options.powerLevels === undefined ? {} : { power_level_content_override: options.powerLevels }),
      invite: [...(options.invite ?? [])],
    });
    return room_id;
  }

  async join(roomIdOrAlias: string, via: readonly string[] = []): Promise<void> {
    await this.client.joinRoom(roomIdOrAlias, { viaServers: [...via] });
  }

  async invite(roomId: string, userId: string): Promise<void> {
    await this.client.invite(roomId, userId);
  }

  async leave(roomId: string): Promise<void> {
    await this.client.leave(roomId);
  }

  async kick(roomId: string, userId: string, reason?: string): Promise<void> {
    await this.client.kick(roomId, userId, reason);
  }

  async setDisplayName(name: string): Promise<void> {
    await this.client.setDisplayName(name);
  }

  async setTopic(roomId: string, topic: string): Promise<void> {
    await this.sendState(roomId, "m.room.topic", { topic });
  }

  /** Replaces the room by one of another version; resolves to the new room's id. */
  async upgrade(roomId: string, version: string): Promise<string> {
    const { replacement_room } = await this.client.upgradeRoom(roomId, version);
    return replacement_room;
  }

  async sendText(roomId: string, body: string): Promise<string> {
    return this.send(roomId, "m.room.message", { msgtype: "m.text", body });
  }

  async sendHtml(roomId: string, body: string, html: string): Promise<string> {
    return this.send(roomId, "m.room.message", {
      msgtype: "m.text",
      body,
      format: "org.matrix.custom.html",
      formatted_body: html,
    });
  }

  async sendEmote(roomId: string, body: string): Promise<string> {
    return this.send(roomId, "m.room.message", { msgtype: "m.emote", body });
  }

  async sendNotice(roomId: string, body: string): Promise<string> {
    return this.send(roomId, "m.room.message", { msgtype: "m.notice", body });
  }

  async reply(roomId: string, to: string, body: string): Promise<string> {
    return this.send(roomId, "m.room.message", {
      msgtype: "m.text",
      body,
      "m.relates_to": { "m.in_reply_to": { event_id: to } },
    });
  }

  async edit(roomId: string, eventId: string, body: string): Promise<string> {
    return this.send(roomId, "m.room.message", {
      msgtype: "m.text",
      body: `* ${body}`,
      "m.new_content": { msgtype: "m.text", body },
      "m.relates_to": { rel_type: "m.replace", event_id: eventId },
    });
  }

  async react(roomId: string, eventId: string, key: string): Promise<string> {
    return this.send(roomId, "m.reaction", { "m.relates_to": { rel_type: "m.annotation", event_id: eventId, key } });
  }

  async redact(roomId: string, eventId: string, reason?: string): Promise<string> {
    const { event_id } = await this.client.redactEvent(
      roomId,
      eventId,
      undefined,
      reason === undefined ? undefined : { reason },
    );
    return event_id;
  }

  /** Uploads a file; resolves to its `mxc:` URI. */
  async upload(bytes: Uint8Array<ArrayBuffer>, mimeType: string, name: string): Promise<string> {
    const { content_uri } = await this.client.uploadContent(new Blob([bytes], { type: mimeType }), {
      type: mimeType,
      name,
    });
    return content_uri;
  }

  async sendImage(
    roomId: string,
    image: {
      readonly name: string;
      readonly bytes: Uint8Array<ArrayBuffer>;
      readonly mimeType: string;
      readonly width: number;
      readonly height: number;
    },
  ): Promise<string> {
    const url = await this.upload(image.bytes, image.mimeType, image.name);
    return this.send(roomId, "m.room.message", {
      msgtype: "m.image",
      body: image.name,
      url,
      info: { mimetype: image.mimeType, size: image.bytes.length, w: image.width, h: image.height },
    });
  }

  /**
   * Sends any event, once; resolves to its id. While nobody answers it is sent again under the same transaction id, as a
   * client does whose server is away, for {@link patiently} at most `patience` milliseconds.
   */
  async send(roomId: string, type: string, content: Readonly<Record<string, unknown>>, patience = 0): Promise<string> {
    const path = `/rooms/${encodeURIComponent(roomId)}/send/${encodeURIComponent(type)}/${encodeURIComponent(this.client.makeTxnId())}`;
    return this.#persist(path, content, patience);
  }

  async sendState(
    roomId: string,
    type: string,
    content: Readonly<Record<string, unknown>>,
    stateKey = "",
  ): Promise<string> {
    return this.#persist(
      `/rooms/${encodeURIComponent(roomId)}/state/${encodeURIComponent(type)}/${encodeURIComponent(stateKey)}`,
      content,
      0,
    );
  }

  async typing(roomId: string, isTyping: boolean): Promise<void> {
    await this.client.sendTyping(roomId, isTyping, 10_000);
  }

  /** All that the sync brought, in the order in which it came. */
  get events(): readonly SeenEvent[] {
    return this.#inbox.items;
  }

  /** The first event, already seen or to come, that was not waited for before and for which `accepts` is true. */
  async waitFor(what: string, accepts: (event: SeenEvent) => boolean, milliseconds = WAIT): Promise<SeenEvent> {
    return this.#inbox.take(what, milliseconds, accepts);
  }

  /** The same for a message of somebody else in a room. */
  async waitForMessage(
    roomId: string,
    what: string,
    accepts: (message: {
      readonly sender: string;
      readonly body: string;
      readonly html: string;
      readonly event: SeenEvent;
    }) => boolean,
    milliseconds = WAIT,
  ): Promise<SeenEvent> {
    return this.waitFor(
      `${what} in ${roomId}`,
      (event) => {
        if (event.roomId !== roomId || event.type !== "m.room.message" || event.sender === this.userId) return false;
        return accepts({
          sender: event.sender,
          body: asText(event.content["body"]),
          html: asText(event.content["formatted_body"]),
          event,
        });
      },
      milliseconds,
    );
  }

  /** Waits until `count` events for which `accepts` is true have come; all that have. */
  async waitForCount(
    count: number,
    what: string,
    accepts: (event: SeenEvent) => boolean,
    milliseconds = WAIT,
  ): Promise<readonly SeenEvent[]> {
    return this.#inbox.wait(`${count} of ${what}`, milliseconds, () => {
      const all = this.events.filter(accepts);
      return all.length >= count ? all : undefined;
    });
  }

  /** Everything in a room from its beginning, in order, as the homeserver has it: unlike a sync it cannot have gaps. */
  async history(roomId: string): Promise<readonly SeenEvent[]> {
    const backwards: SeenEvent[] = [];
    let from: string | null = null;
    do {
      const page: { readonly chunk: readonly unknown[]; readonly end?: string } =
        await this.client.createMessagesRequest(roomId, from, 500, Direction.Backward);
      backwards.push(...page.chunk.map((raw) => readEvent({ room_id: roomId, ...asRecord(raw) })));
      from = page.end ?? null;
      if (backwards.length > LONGEST_HISTORY) throw new Error(`More than ${LONGEST_HISTORY} events in ${roomId}.`);
    } while (from !== null);
    return backwards.reverse();
  }

  /** A state event's content; `undefined` when the room has none. */
  async state(roomId: string, type: string, stateKey = ""): Promise<Readonly<Record<string, unknown>> | undefined> {
    try {
      return asRecord(await this.client.getStateEvent(roomId, type, stateKey));
    } catch (error) {
      if (isMatrixError(error) && error.errcode === "M_NOT_FOUND") return undefined;
      throw error;
    }
  }

  /** The user ids of those who are joined now. */
  async joined(roomId: string): Promise<readonly string[]> {
    const { joined } = await this.client.getJoinedRoomMembers(roomId);
    return Object.keys(joined);
  }

  async #persist(path: string, content: Readonly<Record<string, unknown>>, patience: number): Promise<string> {
    const deadline = performance.now() + patiently(patience);
    for (;;) {
      try {
        const answer = await this.client.http.authedRequest<{ event_id: string }>(Method.Put, path, undefined, content);
        return answer.event_id;
      } catch (error) {
        if (isMatrixError(error) && (error.httpStatus ?? 0) < 500) throw error;
        if (performance.now() >= deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  #see(event: MatrixEvent): void {
    const { event_id, type } = event.event;
    // Ephemeral events have no id.
    if (typeof event_id === "string" && typeof type === "string")
      this.#inbox.push(readEvent({ ...event.event, room_id: event.getRoomId() }));
  }
}

// Within jest the SDK's classes and those of Node can come from different realms; the name is what remains.
function isMatrixError(error: unknown): error is MatrixError {
  return error instanceof MatrixError || asRecord(error)["name"] === "MatrixError";
}

function nothing(): void {
  // The SDK's log would bury the test's.
}
