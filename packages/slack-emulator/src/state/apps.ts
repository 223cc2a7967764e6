/** A slash command of an app; the URL is the app's request URL unless given. */
export interface SlashCommand {
  readonly command: string;
  readonly url?: string;
}

/** How an app is configured on Slack's side. */
export interface App {
  readonly id: string;
  name: string;
  readonly clientId: string;
  readonly clientSecret: string;
  signingSecret: string;
  readonly verificationToken: string;
  /** Events and commands go to its sockets instead of the request URL. */
  socketMode: boolean;
  requestUrl?: string;
  readonly botScopes: readonly string[];
  readonly userScopes: readonly string[];
  /** Names of the events it subscribed to for its bot and on behalf of users; `*` is every event. */
  readonly botEvents: readonly string[];
  readonly userEvents: readonly string[];
  readonly commands: readonly SlashCommand[];
  readonly redirectUrls: readonly string[];
  /** Access tokens expire after 12 hours and are refreshed. */
  readonly tokenRotation: boolean;
}

/** What an access token may do and for whom. */
export interface Token {
  readonly value: string;
  readonly kind: "bot" | "user" | "app";
  readonly appId: string;
  /** Empty for app-level tokens. */
  readonly teamId: string;
  /** Empty for app-level tokens. */
  readonly userId: string;
  readonly botId?: string;
  scopes: string[];
  revoked: boolean;
  /** Milliseconds since the epoch; undefined for a token that does not expire. */
  readonly expiresAt?: number;
  /** Installed for a whole organisation. */
  readonly enterpriseInstall: boolean;
}

/** A refresh token: good once. */
export interface RefreshToken {
  readonly value: string;
  readonly kind: "bot" | "user";
  readonly appId: string;
  readonly teamId: string;
  readonly userId: string;
  used: boolean;
}

/** An incoming webhook of an app. */
export interface Webhook {
  readonly path: string;
  readonly appId: string;
  readonly teamId: string;
  readonly channelId: string;
  readonly botId: string;
  revoked: boolean;
}

/** A code the authorize page handed out; good once and for ten minutes. */
export interface AuthorizationCode {
  readonly value: string;
  readonly appId: string;
  readonly teamId: string;
  readonly userId: string;
  /** Where an incoming webhook is to post. */
  readonly channelId: string | undefined;
  readonly botScopes: readonly string[];
  readonly userScopes: readonly string[];
  readonly redirectUri: string;
  readonly expiresAt: number;
  used: boolean;
}

/** Where an app may answer a slash command later. */
export interface ResponseUrl {
  readonly path: string;
  readonly appId: string;
  readonly teamId: string;
  readonly channelId: string;
  readonly userId: string;
  readonly expiresAt: number;
  uses: number;
}
