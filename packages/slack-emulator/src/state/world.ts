import { randomBytes } from "node:crypto";
import type { Clock } from "../clock.js";
import type { Audience } from "../events/audience.js";
import type { JsonObject } from "../json.js";
import type { App, AuthorizationCode, RefreshToken, ResponseUrl, Token, Webhook } from "./apps.js";
import type { Channel } from "./channels.js";
import type { StoredFile } from "./files.js";
import { Ids } from "./ids.js";
import type { Bot, Enterprise, Team, User } from "./people.js";
import { Timestamps } from "./timestamps.js";

/** Everything there is: the state all parts of the emulator share. */
export class World {
  readonly ids = new Ids();
  readonly enterprises = new Map<string, Enterprise>();
  readonly teams = new Map<string, Team>();
  readonly users = new Map<string, User>();
  readonly bots = new Map<string, Bot>();
  readonly channels = new Map<string, Channel>();
  readonly files = new Map<string, StoredFile>();
  readonly apps = new Map<string, App>();
  readonly tokens = new Map<string, Token>();
  readonly refreshTokens = new Map<string, RefreshToken>();
  readonly webhooks = new Map<string, Webhook>();
  readonly responseUrls = new Map<string, ResponseUrl>();
  readonly codes = new Map<string, AuthorizationCode>();
  /** Pictures by the path they are served under. */
  readonly images = new Map<string, { readonly content: Buffer; readonly mimetype: string }>();
  /** Where the emulator listens: no slash at the end. Known once it was started. */
  baseUrl = "http://127.0.0.1";
  /** Hands an event to the apps it concerns; set by the delivery side. */
  publish: (event: JsonObject, audience: Audience) => void = () => undefined;
  /** Told when tokens end, so that sockets are closed. */
  tokensEnded: (tokens: readonly Token[]) => void = () => undefined;
  /** Message events carry the message's metadata. */
  metadataInEvents = true;
  readonly #eventTimestamps = new Timestamps();

  constructor(readonly clock: Clock) {}

  /** A timestamp for an event that is no message: in one row with the messages of its channel, where it has one. */
  eventTs(channel?: Channel): string {
    return (channel?.timestamps ?? this.#eventTimestamps).next(this.clock.now());
  }

  /** A secret that cannot be guessed, as hexadecimal. */
  secret(bytes = 12): string {
    return randomBytes(bytes).toString("hex");
  }

  /** Forgets the codes and response URLs that expired. */
  forgetExpired(): void {
    const now = this.clock.now();
    for (const [value, code] of this.codes) if (code.expiresAt <= now) this.codes.delete(value);
    for (const [path, url] of this.responseUrls) if (url.expiresAt <= now) this.responseUrls.delete(path);
  }

  team(id: string): Team {
    return found(this.teams.get(id), "workspace", id);
  }

  user(id: string): User {
    return found(this.users.get(id), "user", id);
  }

  channel(id: string): Channel {
    return found(this.channels.get(id), "channel", id);
  }

  app(id: string): App {
    return found(this.apps.get(id), "app", id);
  }

  /** The users of a workspace, in the order they joined. */
  usersOf(teamId: string): User[] {
    return [...this.users.values()].filter((user) => user.teamId === teamId);
  }

  /** The conversations a workspace has, in the order they were made. */
  channelsOf(teamId: string): Channel[] {
    return [...this.channels.values()].filter((channel) => channel.teamIds.includes(teamId));
  }

  /** The tokens of an app that were not revoked. */
  tokensOf(appId: string): Token[] {
    return [...this.tokens.values()].filter((token) => token.appId === appId && !token.revoked);
  }
}

function found<T>(value: T | undefined, what: string, id: string): T {
  if (value === undefined) throw new Error(`There is no ${what} with the id ${id}`);
  return value;
}
