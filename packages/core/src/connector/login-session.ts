import type { UserId } from "./ids.js";

/** A conversation with a person who signs in: the same for chat commands, the command line and the provisioning API. */
export interface LoginSession {
  readonly user: UserId;
  /** Which of `accountNetworks.names` the person signs in to; absent where the connector names none. */
  readonly network?: string;
  /** Asks for fields and returns what was typed; rejects when the person gives up. */
  readonly ask: <const Id extends string>(fields: readonly LoginField<Id>[]) => Promise<Readonly<Record<Id, string>>>;
  /** Tells the person something, e.g. a URL to open; it is shown also while the login waits for something else. */
  readonly say: (text: string) => Promise<void>;
  /** Aborted when the person gives up, or takes too long: what they still do elsewhere signs nobody in. */
  readonly signal: AbortSignal;
}

/** One thing a person is asked for. */
export interface LoginField<Id extends string = string> {
  readonly id: Id;
  readonly type: "text" | "username" | "password" | "token" | "url";
  readonly label: string;
  readonly hint?: string;
  readonly optional?: boolean;
}
