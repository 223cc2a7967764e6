import type { ContentUri, EventId, RoomAlias, RoomId, UserId } from "../connector/ids.js";
import {
  absentAsNull,
  answers,
  type ClientEvent,
  type EventContent,
  parsed,
  parsedEventId,
  type Profile,
} from "./answers.js";
import { DirectoryApi } from "./directory.js";
import { MatrixHttp, type MatrixHttpOptions, type MatrixRequest } from "./http.js";
import {
  type DownloadedMedia,
  type DownloadRequest,
  MediaApi,
  type ThumbnailRequest,
  type UploadRequest,
} from "./media.js";
import { pathPart as part } from "./path.js";
import type {
  BanRequest,
  CreateRoomRequest,
  JoinRequest,
  Membership,
  MessagesRequest,
  PresenceRequest,
  ReadRequest,
  RedactRequest,
  SendEventRequest,
  SendReceiptRequest,
  SendStateRequest,
  StateRequest,
  TypingRequest,
} from "./requests.js";
import type { MatrixResult } from "./result.js";

const v3 = "/_matrix/client/v3";

/**
 * The client API as an application service uses it (specification v1.19). Every method makes one request (media may
 * make two) and resolves to a value: it never rejects, and reads no failure as "there is none".
 */
export class MatrixClient {
  readonly http: MatrixHttp;
  /** Aliases and lists of rooms. */
  readonly directory: DirectoryApi;
  readonly #media: MediaApi;

  constructor(options: MatrixHttpOptions) {
    this.http = new MatrixHttp(options);
    this.directory = new DirectoryApi(this.http);
    this.#media = new MediaApi(this.http);
  }

  /** Closes every connection; requests under way end as unanswered. */
  close(): Promise<void> {
    return this.http.close();
  }

  // The server and the application service

  async versions(
    request: ReadRequest = {},
  ): Promise<MatrixResult<{ readonly versions: readonly string[]; readonly unstableFeatures: EventContent }>> {
    return parsed(await this.#get("/_matrix/client/versions", "/versions", request), answers.versions);
  }

  async whoami(
    request: ReadRequest = {},
  ): Promise<MatrixResult<{ readonly userId: UserId; readonly deviceId?: string }>> {
    return parsed(await this.#get(`${v3}/account/whoami`, "/account/whoami", request), answers.whoami);
  }

  /**
   * Registers a ghost, or the application service's own user. Also a success when the user is there already. No login
   * is made: homeservers with another authentication service refuse one.
   */
  async register(localpart: string): Promise<MatrixResult<{ readonly existed: boolean }>> {
    const result = await this.http.request({
      method: "POST",
      path: `${v3}/register`,
      route: "/register",
      query: { kind: "user" },
      body: { type: "m.login.application_service", username: localpart, inhibit_login: true },
    });
    if (result.ok) return { ok: true, body: { existed: false } };
    const { failure } = result;
    if (failure.kind === "answered" && failure.errcode === "M_USER_IN_USE")
      return { ok: true, body: { existed: true } };
    return result;
  }

  /**
   * Asks the homeserver to call the application service (specification v1.7). A failure says why it could not:
   * `M_BAD_STATUS`, `M_CONNECTION_FAILED`, `M_CONNECTION_TIMEOUT`, `M_URL_NOT_SET`. On Synapse a success also makes it
   * deliver its backlog at once.
   */
  async ping(
    appserviceId: string,
    transactionId: string,
    request: ReadRequest = {},
  ): Promise<MatrixResult<{ readonly durationMs: number }>> {
    const path = `/_matrix/client/v1/appservice/${part(appserviceId)}/ping`;
    const body = { transaction_id: transactionId };
    return parsed(
      await this.http.request({ ...request, method: "POST", path, route: "/appservice/{appserviceId}/ping", body }),
      answers.ping,
    );
  }

  // Events

  /** Sends a message event. The same `txnId` again, within the homeserver's memory of 30 minutes or so, sends nothing and gives the same event id. */
  async sendEvent(request: SendEventRequest): Promise<MatrixResult<{ readonly eventId: EventId }>> {
    // Field by field: every message passes here, and spreading objects was a tenth of its cost.
    const result = await this.http.request({
      method: "PUT",
      path: `${v3}/rooms/${part(request.room)}/send/${part(request.type)}/${part(request.txnId)}`,
      route: "/rooms/{roomId}/send/{eventType}/{txnId}",
      body: request.content,
      asUser: request.asUser,
      deviceId: request.deviceId,
      ts: request.ts,
      once: request.once,
      signal: request.signal,
      timeoutMs: request.timeoutMs,
    });
    return parsedEventId(result);
  }

  async redact(request: RedactRequest): Promise<MatrixResult<{ readonly eventId: EventId }>> {
    const { room, eventId, txnId, reason, ...rest } = request;
    const path = `${v3}/rooms/${part(room)}/redact/${part(eventId)}/${part(txnId)}`;
    const body = reason === undefined ? {} : { reason };
    return parsedEventId(
      await this.http.request({
        ...rest,
        method: "PUT",
        path,
        route: "/rooms/{roomId}/redact/{eventId}/{txnId}",
        body,
      }),
    );
  }

  async sendState(request: SendStateRequest): Promise<MatrixResult<{ readonly eventId: EventId }>> {
    const { room, type, stateKey, content, ...rest } = request;
    const path = statePath(room, type, stateKey);
    return parsedEventId(
      await this.http.request({
        ...rest,
        method: "PUT",
        path,
        route: "/rooms/{roomId}/state/{eventType}/{stateKey}",
        body: content,
      }),
    );
  }

  /** The content of a state event. `null` only where the homeserver says that there is none. */
  async getState(request: StateRequest): Promise<MatrixResult<EventContent | null>> {
    const { room, type, stateKey, ...rest } = request;
    const result = await this.#get(
      statePath(room, type, stateKey),
      "/rooms/{roomId}/state/{eventType}/{stateKey}",
      rest,
    );
    return absentAsNull(parsed(result, answers.content));
  }

  async getRoomState(room: RoomId, request: ReadRequest = {}): Promise<MatrixResult<readonly ClientEvent[]>> {
    return parsed(await this.#get(`${v3}/rooms/${part(room)}/state`, "/rooms/{roomId}/state", request), answers.events);
  }

  /** `null`: the homeserver does not know the event, or the user may not see it. */
  async getEvent(room: RoomId, eventId: EventId, request: ReadRequest = {}): Promise<MatrixResult<ClientEvent | null>> {
    const path = `${v3}/rooms/${part(room)}/event/${part(eventId)}`;
    return absentAsNull(parsed(await this.#get(path, "/rooms/{roomId}/event/{eventId}", request), answers.event));
  }

  /** A page of a room's history; without `end` there is no more. */
  async messages(request: MessagesRequest): Promise<
    MatrixResult<{
      readonly events: readonly ClientEvent[];
      readonly state: readonly ClientEvent[];
      readonly end?: string;
    }>
  > {
    const { room, dir, from, to, limit, filter, ...rest } = request;
    const query = { dir, from, to, limit, filter: filter === undefined ? undefined : JSON.stringify(filter) };
    return parsed(
      await this.#get(`${v3}/rooms/${part(room)}/messages`, "/rooms/{roomId}/messages", { ...rest, query }),
      answers.messages,
    );
  }

  // Membership

  async joinRoom(
    room: RoomId | RoomAlias,
    request: JoinRequest = {},
  ): Promise<MatrixResult<{ readonly roomId: RoomId }>> {
    const { via, reason, ...rest } = request;
    const query = { via };
    const body = reason === undefined ? {} : { reason };
    const path = `${v3}/join/${part(room)}`;
    return parsed(
      await this.http.request({ ...rest, method: "POST", path, route: "/join/{roomIdOrAlias}", query, body }),
      answers.roomId,
    );
  }

  invite(room: RoomId, user: UserId, request: BanRequest = {}): Promise<MatrixResult<undefined>> {
    return this.#member(room, "invite", user, request);
  }

  kick(room: RoomId, user: UserId, request: BanRequest = {}): Promise<MatrixResult<undefined>> {
    return this.#member(room, "kick", user, request);
  }

  ban(room: RoomId, user: UserId, request: BanRequest = {}): Promise<MatrixResult<undefined>> {
    return this.#member(room, "ban", user, request);
  }

  unban(room: RoomId, user: UserId, request: BanRequest = {}): Promise<MatrixResult<undefined>> {
    return this.#member(room, "unban", user, request);
  }

  /** Leaves a room, or declines an invite to it. */
  leave(room: RoomId, request: BanRequest = {}): Promise<MatrixResult<undefined>> {
    return this.#member(room, "leave", undefined, request);
  }

  async joinedMembers(room: RoomId, request: ReadRequest = {}): Promise<MatrixResult<ReadonlyMap<UserId, Profile>>> {
    return parsed(
      await this.#get(`${v3}/rooms/${part(room)}/joined_members`, "/rooms/{roomId}/joined_members", request),
      answers.joinedMembers,
    );
  }

  async joinedRooms(request: ReadRequest = {}): Promise<MatrixResult<readonly RoomId[]>> {
    return parsed(await this.#get(`${v3}/joined_rooms`, "/joined_rooms", request), answers.joinedRooms);
  }

  /** The `m.room.member` events of a room, of every membership or only of one. */
  async members(
    room: RoomId,
    request: ReadRequest & { readonly membership?: Membership; readonly notMembership?: Membership } = {},
  ): Promise<MatrixResult<readonly ClientEvent[]>> {
    const { membership, notMembership, ...rest } = request;
    const query = { membership, not_membership: notMembership };
    return parsed(
      await this.#get(`${v3}/rooms/${part(room)}/members`, "/rooms/{roomId}/members", { ...rest, query }),
      answers.members,
    );
  }

  // Rooms and the directory

  /** Creates a room as the bridge bot: since room version 12 a creator's power can never be taken away, so no ghost may create one. */
  async createRoom(request: CreateRoomRequest): Promise<MatrixResult<{ readonly roomId: RoomId }>> {
    const body = {
      name: request.name,
      topic: request.topic,
      room_alias_name: request.aliasLocalpart,
      visibility: request.visibility,
      preset: request.preset,
      invite: request.invite,
      is_direct: request.isDirect,
      room_version: request.roomVersion,
      creation_content: request.creationContent,
      power_level_content_override: request.powerLevels,
      initial_state: request.initialState?.map(({ type, stateKey, content }) => ({
        type,
        state_key: stateKey ?? "",
        content,
      })),
    };
    const { signal, timeoutMs } = request;
    return parsed(
      await this.http.request({
        signal,
        timeoutMs,
        method: "POST",
        path: `${v3}/createRoom`,
        route: "/createRoom",
        body,
      }),
      answers.roomId,
    );
  }

  // Profiles

  /** `name` at most 256 characters; the empty string removes it. */
  setDisplayName(user: UserId, name: string): Promise<MatrixResult<undefined>> {
    return this.#put(
      `${v3}/profile/${part(user)}/displayname`,
      "/profile/{userId}/displayname",
      { displayname: name },
      { asUser: user },
    );
  }

  /** `null` removes it. */
  setAvatarUrl(user: UserId, uri: ContentUri | null): Promise<MatrixResult<undefined>> {
    return this.#put(
      `${v3}/profile/${part(user)}/avatar_url`,
      "/profile/{userId}/avatar_url",
      { avatar_url: uri ?? "" },
      { asUser: user },
    );
  }

  /** `null`: there is no such user, or they have no profile. */
  async getProfile(user: UserId, request: ReadRequest = {}): Promise<MatrixResult<Profile | null>> {
    const result = await this.#get(`${v3}/profile/${part(user)}`, "/profile/{userId}", request);
    // Synapse 1.160 answers 404 M_UNKNOWN for a local user that does not exist.
    return absentAsNull(parsed(result, answers.profile), ["M_NOT_FOUND", "M_UNKNOWN"]);
  }

  // What is true for a moment

  setTyping({ room, user, typing, forMs }: TypingRequest): Promise<MatrixResult<undefined>> {
    const body = typing ? { typing, timeout: Math.round(forMs ?? 30_000) } : { typing };
    return this.#put(`${v3}/rooms/${part(room)}/typing/${part(user)}`, "/rooms/{roomId}/typing/{userId}", body, {
      asUser: user,
    });
  }

  setPresence({ user, presence, status }: PresenceRequest): Promise<MatrixResult<undefined>> {
    const body = { presence, ...(status !== undefined && { status_msg: status }) };
    return this.#put(`${v3}/presence/${part(user)}/status`, "/presence/{userId}/status", body, { asUser: user });
  }

  async sendReceipt({ room, eventId, asUser, kind, threadId }: SendReceiptRequest): Promise<MatrixResult<undefined>> {
    const path = `${v3}/rooms/${part(room)}/receipt/${part(kind ?? "m.read")}/${part(eventId)}`;
    const body = threadId === undefined ? {} : { thread_id: threadId };
    return parsed(
      await this.http.request({
        asUser,
        method: "POST",
        path,
        route: "/rooms/{roomId}/receipt/{receiptType}/{eventId}",
        body,
      }),
      answers.nothing,
    );
  }

  // Media

  /** Uploads a file. The stream is read to its end or destroyed, whatever the result. */
  uploadMedia(request: UploadRequest): Promise<MatrixResult<{ readonly uri: ContentUri }>> {
    return this.#media.upload(request);
  }

  /** Begins a download; the stream must be read to its end or destroyed. */
  downloadMedia(uri: ContentUri, request: DownloadRequest = {}): Promise<MatrixResult<DownloadedMedia>> {
    return this.#media.download(uri, request);
  }

  thumbnail(uri: ContentUri, request: ThumbnailRequest): Promise<MatrixResult<DownloadedMedia>> {
    return this.#media.thumbnail(uri, request);
  }

  #get(path: string, route: string, rest: Omit<MatrixRequest, "method" | "path">): Promise<MatrixResult<unknown>> {
    return this.http.request({ ...rest, method: "GET", path, route });
  }

  async #put(path: string, route: string, body: EventContent, rest: ReadRequest): Promise<MatrixResult<undefined>> {
    return parsed(await this.http.request({ ...rest, method: "PUT", path, route, body }), answers.nothing);
  }

  async #member(
    room: RoomId,
    action: string,
    user: UserId | undefined,
    request: BanRequest,
  ): Promise<MatrixResult<undefined>> {
    const { reason, ...rest } = request;
    const body = { user_id: user, reason };
    const path = `${v3}/rooms/${part(room)}/${action}`;
    return parsed(
      await this.http.request({ ...rest, method: "POST", path, route: `/rooms/{roomId}/${action}`, body }),
      answers.nothing,
    );
  }
}

/** With an empty state key the path ends in a slash. */
function statePath(room: RoomId, type: string, stateKey = ""): string {
  return `${v3}/rooms/${part(room)}/state/${part(type)}/${stateKey === "" ? "" : part(stateKey)}`;
}
