import type { Json, JsonObject } from "../json.js";
import type { PlainAnswer } from "./plain-request.js";
import { plainRequest } from "./plain-request.js";
import { isObject, isStringArray, parseJson, stringField } from "../json.js";

/** An answer other than 2xx. */
export class TestClientError extends Error {
  constructor(
    readonly status: number,
    readonly errcode: string,
    readonly body: Json | undefined,
    request: string,
  ) {
    super(`${request}: ${status} ${errcode} ${JSON.stringify(body)}`);
    this.name = "TestClientError";
  }
}

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | number>>;
  /** A JSON body. */
  readonly body?: Json;
  /** A body that is not JSON; `contentType` says what it is. */
  readonly content?: string | Uint8Array;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

/** A Matrix user who speaks to a homeserver over HTTP; works against any homeserver. */
export class TestClient {
  #transactions = 0;

  constructor(
    readonly baseUrl: string,
    readonly accessToken: string,
    readonly userId: string,
  ) {}

  /** Logs in with a password. */
  static async login(baseUrl: string, user: string, password: string): Promise<TestClient> {
    const anonymous = new TestClient(baseUrl, "", "");
    const identifier = { type: "m.id.user", user };
    const answer = await anonymous.request("POST", "/_matrix/client/v3/login", {
      body: { type: "m.login.password", identifier, password },
    });
    return new TestClient(baseUrl, text(answer, "access_token"), text(answer, "user_id"));
  }

  /** Any request with the user's token. @throws TestClientError */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<JsonObject> {
    const value = await this.requestJson(method, path, options);
    if (!isObject(value)) throw new Error(`${method} ${path}: the answer is not a JSON object`);
    return value;
  }

  async requestJson(method: string, path: string, options: RequestOptions = {}): Promise<Json> {
    const { status, body } = await this.exchange(method, path, options);
    const value = parseJson(body.toString("utf8"));
    if (status < 200 || status > 299 || value === undefined) {
      const errcode = isObject(value) ? (stringField(value, "errcode") ?? "") : "";
      throw new TestClientError(status, errcode, value, `${method} ${path}`);
    }
    return value;
  }

  /** Any request with the user's token, with its answer whatever that is. Rejects where the connection breaks. */
  exchange(method: string, path: string, options: RequestOptions = {}): Promise<PlainAnswer> {
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(options.query ?? {})) query.set(key, String(value));
    const search = query.size === 0 ? "" : `${path.includes("?") ? "&" : "?"}${query.toString()}`;
    const { body, content, contentType = "application/json", signal } = options;
    const payload = content ?? (body === undefined ? undefined : JSON.stringify(body));
    const headers: Record<string, string> = {};
    if (this.accessToken !== "") headers["authorization"] = `Bearer ${this.accessToken}`;
    if (payload !== undefined) headers["content-type"] = contentType;
    return plainRequest(`${this.baseUrl}${path}${search}`, {
      method,
      headers,
      ...(payload === undefined ? {} : { body: payload }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  whoami(): Promise<JsonObject> {
    return this.request("GET", "/_matrix/client/v3/account/whoami");
  }

  /** @returns the room id */
  async createRoom(request: JsonObject = {}): Promise<string> {
    return text(await this.request("POST", "/_matrix/client/v3/createRoom", { body: request }), "room_id");
  }

  /** Joins by id or alias. @returns the room id */
  async join(roomIdOrAlias: string, via: readonly string[] = []): Promise<string> {
    const query = new URLSearchParams();
    for (const server of via) query.append("via", server);
    const path = `/_matrix/client/v3/join/${encodeURIComponent(roomIdOrAlias)}?${query.toString()}`;
    return text(await this.request("POST", path, { body: {} }), "room_id");
  }

  async knock(roomIdOrAlias: string, reason?: string): Promise<string> {
    const path = `/_matrix/client/v3/knock/${encodeURIComponent(roomIdOrAlias)}`;
    return text(await this.request("POST", path, { body: withReason(reason) }), "room_id");
  }

  async invite(roomId: string, userId: string): Promise<void> {
    await this.request("POST", `${this.#room(roomId)}/invite`, { body: { user_id: userId } });
  }

  async leave(roomId: string, reason?: string): Promise<void> {
    await this.request("POST", `${this.#room(roomId)}/leave`, { body: withReason(reason) });
  }

  async kick(roomId: string, userId: string, reason?: string): Promise<void> {
    await this.request("POST", `${this.#room(roomId)}/kick`, { body: { user_id: userId, ...withReason(reason) } });
  }

  async ban(roomId: string, userId: string, reason?: string): Promise<void> {
    await this.request("POST", `${this.#room(roomId)}/ban`, { body: { user_id: userId, ...withReason(reason) } });
  }

  async unban(roomId: string, userId: string): Promise<void> {
    await this.request("POST", `${this.#room(roomId)}/unban`, { body: { user_id: userId } });
  }

  /** Sends a message-like event. @returns its id */
  async send(roomId: string, type: string, content: JsonObject, txnId = this.nextTransactionId()): Promise<string> {
    const path = `${this.#room(roomId)}/send/${encodeURIComponent(type)}/${encodeURIComponent(txnId)}`;
    return text(await this.request("PUT", path, { body: content }), "event_id");
  }

  sendText(roomId: string, body: string, extra: JsonObject = {}): Promise<string> {
    return this.send(roomId, "m.room.message", { msgtype: "m.text", body, "m.mentions": {}, ...extra });
  }

  sendHtml(roomId: string, body: string, html: string): Promise<string> {
    return this.sendText(roomId, body, { format: "org.matrix.custom.html", formatted_body: html });
  }

  sendNotice(roomId: string, body: string): Promise<string> {
    return this.sendText(roomId, body, { msgtype: "m.notice" });
  }

  sendEmote(roomId: string, body: string): Promise<string> {
    return this.sendText(roomId, body, { msgtype: "m.emote" });
  }

  reply(roomId: string, eventId: string, body: string): Promise<string> {
    return this.sendText(roomId, body, { "m.relates_to": { "m.in_reply_to": { event_id: eventId } } });
  }

  thread(roomId: string, rootId: string, body: string, latestId = rootId): Promise<string> {
    return this.sendText(roomId, body, {
      "m.relates_to": {
        rel_type: "m.thread",
        event_id: rootId,
        is_falling_back: true,
        "m.in_reply_to": { event_id: latestId },
      },
    });
  }

  /** Replaces the text of an own message. */
  edit(roomId: string, eventId: string, body: string): Promise<string> {
    return this.send(roomId, "m.room.message", {
      msgtype: "m.text",
      body: `* ${body}`,
      "m.mentions": {},
      "m.new_content": { msgtype: "m.text", body, "m.mentions": {} },
      "m.relates_to": { rel_type: "m.replace", event_id: eventId },
    });
  }

  react(roomId: string, eventId: string, key: string): Promise<string> {
    return this.send(roomId, "m.reaction", { "m.relates_to": { rel_type: "m.annotation", event_id: eventId, key } });
  }

  async redact(roomId: string, eventId: string, reason?: string): Promise<string> {
    const path = `${this.#room(roomId)}/redact/${encodeURIComponent(eventId)}/${this.nextTransactionId()}`;
    return text(await this.request("PUT", path, { body: withReason(reason) }), "event_id");
  }

  /** @returns the id of the state event */
  async setState(roomId: string, type: string, content: JsonObject, stateKey = ""): Promise<string> {
    return text(await this.request("PUT", this.#state(roomId, type, stateKey), { body: content }), "event_id");
  }

  /** The content of a state event. @throws TestClientError 404 */
  state(roomId: string, type: string, stateKey = ""): Promise<JsonObject> {
    return this.request("GET", this.#state(roomId, type, stateKey));
  }

  setTopic(roomId: string, topic: string): Promise<string> {
    return this.setState(roomId, "m.room.topic", { topic });
  }

  setName(roomId: string, name: string): Promise<string> {
    return this.setState(roomId, "m.room.name", { name });
  }

  async setPower(roomId: string, userId: string, level: number): Promise<string> {
    const levels = await this.state(roomId, "m.room.power_levels");
    const users = isObject(levels["users"]) ? levels["users"] : {};
    return this.setState(roomId, "m.room.power_levels", { ...levels, users: { ...users, [userId]: level } });
  }

  async setDisplayName(name: string): Promise<void> {
    const path = `/_matrix/client/v3/profile/${encodeURIComponent(this.userId)}/displayname`;
    await this.request("PUT", path, { body: { displayname: name } });
  }

  async setTyping(roomId: string, typing: boolean, timeout = 30_000): Promise<void> {
    const path = `${this.#room(roomId)}/typing/${encodeURIComponent(this.userId)}`;
    await this.request("PUT", path, { body: typing ? { typing, timeout } : { typing } });
  }

  async sendReceipt(roomId: string, eventId: string, type = "m.read"): Promise<void> {
    await this.request("POST", `${this.#room(roomId)}/receipt/${type}/${encodeURIComponent(eventId)}`, { body: {} });
  }

  event(roomId: string, eventId: string): Promise<JsonObject> {
    return this.request("GET", `${this.#room(roomId)}/event/${encodeURIComponent(eventId)}`);
  }

  /** The latest `limit` events, newest first. */
  async messages(roomId: string, limit = 100): Promise<JsonObject[]> {
    const answer = await this.request("GET", `${this.#room(roomId)}/messages`, { query: { dir: "b", limit } });
    const chunk = answer["chunk"];
    return Array.isArray(chunk) ? chunk.filter(isObject) : [];
  }

  async joinedRooms(): Promise<string[]> {
    const rooms = (await this.request("GET", "/_matrix/client/v3/joined_rooms"))["joined_rooms"];
    return isStringArray(rooms) ? rooms : [];
  }

  /** @returns the id of the replacement room */
  async upgrade(roomId: string, version: string): Promise<string> {
    const answer = await this.request("POST", `${this.#room(roomId)}/upgrade`, { body: { new_version: version } });
    return text(answer, "replacement_room");
  }

  /** @returns the mxc:// URI */
  async upload(content: Uint8Array, contentType: string, filename?: string): Promise<string> {
    const query = filename === undefined ? {} : { filename };
    const answer = await this.request("POST", "/_matrix/media/v3/upload", { content, contentType, query });
    return text(answer, "content_uri");
  }

  /** Downloads from the authenticated endpoint. */
  async download(mxc: string): Promise<{ content: Buffer; contentType: string; disposition: string }> {
    const path = `/_matrix/client/v1/media/download/${mxc.replace(/^mxc:\/\//u, "")}`;
    const { status, headers, body } = await this.exchange("GET", path);
    if (status !== 200) throw new TestClientError(status, "", parseJson(body.toString()), `GET ${path}`);
    return {
      content: body,
      contentType: headers["content-type"] ?? "",
      disposition: headers["content-disposition"] ?? "",
    };
  }

  /** A media message of an uploaded file. */
  async sendFile(
    roomId: string,
    msgtype: "m.image" | "m.file" | "m.audio" | "m.video",
    file: { content: Uint8Array; contentType: string; filename: string },
  ): Promise<string> {
    const url = await this.upload(file.content, file.contentType, file.filename);
    const info = { mimetype: file.contentType, size: file.content.length };
    return this.sendText(roomId, file.filename, { msgtype, url, info, filename: file.filename });
  }

  /** One `/sync`. */
  sync(since?: string, timeoutMs = 0): Promise<JsonObject> {
    const query = since === undefined ? { timeout: timeoutMs } : { timeout: timeoutMs, since };
    return this.request("GET", "/_matrix/client/v3/sync", { query });
  }

  /** A transaction id that no other client of this process uses. */
  nextTransactionId(): string {
    return `t${process.pid}.${this.accessToken.slice(-6)}.${++this.#transactions}`;
  }

  #room(roomId: string): string {
    return `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}`;
  }

  #state(roomId: string, type: string, stateKey: string): string {
    return `${this.#room(roomId)}/state/${encodeURIComponent(type)}/${encodeURIComponent(stateKey)}`;
  }
}

function withReason(reason: string | undefined): JsonObject {
  return reason === undefined ? {} : { reason };
}

function text(answer: JsonObject, key: string): string {
  const value = stringField(answer, key);
  if (value === undefined) throw new Error(`the answer has no string '${key}': ${JSON.stringify(answer)}`);
  return value;
}
