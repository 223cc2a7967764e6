import type { z } from "zod";
import type { Author } from "../actions/messages.js";
import type { Publisher } from "../events/publisher.js";
import type { JsonObject } from "../json.js";
import type { SocketHub } from "../socket/hub.js";
import type { App, Token } from "../state/apps.js";
import type { Team, User } from "../state/people.js";
import type { World } from "../state/world.js";
import type { Viewer } from "../views/user.js";
import type { RawArguments } from "./args.js";
import { SlackError } from "./error.js";

/** The parts of the emulator methods use. */
export interface Services {
  readonly world: World;
  readonly sockets: SocketHub;
  readonly publisher: Publisher;
  readonly limits: Limits;
}

/** Bounds an operator can change. */
export interface Limits {
  /** The most `conversations.history` and `.replies` answer at once: 15 for apps that are distributed outside the Marketplace. */
  readonly historyPage: number;
  /** Minutes in which a message may be edited; undefined for ever. */
  readonly editWindowMinutes: number | undefined;
  /** The names of the standard emoji; undefined when everything of the right form is taken for one. */
  readonly standardEmoji: ReadonlySet<string> | undefined;
  /** Bytes of a file. */
  readonly fileSize: number;
}

/** Who calls a method. */
export interface Caller extends Services {
  readonly token: Token;
  readonly app: App;
  readonly team: Team;
  readonly user: User;
  /** The caller as the author of what it posts. */
  readonly author: Author;
  readonly viewer: Viewer;
}

/** A Web API method. */
export interface Method {
  readonly name: string;
  /** The scopes of which one is needed; none for an empty list. */
  readonly scopes: readonly string[];
  /** Which tokens may call it. */
  readonly tokens: readonly Token["kind"][];
  run(caller: Caller, raw: RawArguments): JsonObject | Promise<JsonObject>;
}

/** Defines a method: its name, the scopes, its arguments and what it does. The answer gets `ok: true`. */
export function method<Schema extends z.ZodType>(
  name: string,
  scopes: readonly string[],
  args: Schema,
  run: (caller: Caller, args: z.output<Schema>) => JsonObject | Promise<JsonObject>,
  tokens: readonly Token["kind"][] = ["bot", "user"],
): Method {
  return { name, scopes, tokens, run: (caller, raw) => run(caller, parse(args, raw)) };
}

/** Arguments as a method wants them, or `invalid_arguments` as Slack says it. */
export function parse<Schema extends z.ZodType>(args: Schema, raw: RawArguments): z.output<Schema> {
  const result = args.safeParse(raw);
  if (result.success) return result.data;
  const messages = result.error.issues.map(
    (issue) => `[ERROR] ${issue.message} [json-pointer:/${issue.path.map(String).join("/")}]`,
  );
  throw new SlackError("invalid_arguments", { response_metadata: { messages } });
}

/** Refuses a token without one of the scopes. */
export function requireScope(token: Token, scopes: readonly string[]): void {
  if (scopes.length === 0 || scopes.some((scope) => token.scopes.includes(scope))) return;
  throw new SlackError("missing_scope", { needed: scopes.join(","), provided: token.scopes.join(",") });
}
