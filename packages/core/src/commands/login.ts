import type { MatrixEvent } from "../appservice/event.js";
import { effectIdOf } from "../bridge/effect-id.js";
import { bannedText } from "../bridge/linker.js";
import type { Permissions } from "../bridge/permissions.js";
import type { BridgeRuntime } from "../bridge/runtime.js";
import type { Login } from "../connector/connector.js";
import type { LoginField, LoginSession } from "../connector/login-session.js";
import { EventId, type RoomId, type UserId } from "../connector/ids.js";
import type { Logins } from "../mapping/logins.js";
import { ServiceError } from "../services/services.js";
import { Dialogue } from "./dialogue.js";

export interface LoginParts {
  readonly permissions: Permissions;
  readonly runtime: BridgeRuntime;
  readonly logins: Logins;
}

interface Beginning {
  readonly user: UserId;
  readonly room: RoomId;
  readonly network: string | undefined;
  readonly login: NonNullable<BridgeRuntime["handlers"]["login"]>;
}

const patienceMs = 10 * 60_000;

/** Logins by chat: the connector asks for fields, the person types them one message each. */
export class LoginDialogues {
  readonly #open = new Map<UserId, Dialogue>();
  /** Each until its last words are on disk. */
  readonly #underWay = new Set<Promise<void>>();

  constructor(readonly parts: LoginParts) {}

  isOpen(user: UserId, room: RoomId): boolean {
    return this.#open.get(user)?.room === room;
  }

  /** Whether something is to be typed now. */
  isAsking(user: UserId, room: RoomId): boolean {
    return this.isOpen(user, room) && this.#open.get(user)?.field !== undefined;
  }

  /** `typed`: which network, where the bridge is to several. */
  async begin(user: UserId, room: RoomId, typed: string): Promise<string> {
    const { runtime, logins } = this.parts;
    const { login } = runtime.handlers;
    if (!login)
      throw new ServiceError(
        "invalid",
        `${runtime.networkName} needs no login: what you write is delivered under your name.`,
      );
    const members = await runtime.client.joinedMembers(room);
    const links = await runtime.links.ofRoom(room);
    if (!members.ok || members.body.size > 2 || links.length > 0) {
      throw new ServiceError(
        "invalid",
        `A login is for you alone: start a direct chat with ${runtime.bot} and type login there.`,
      );
    }
    const network = this.#networkFor(typed);
    const present = (await logins.of(user)).find((each) => each.network === network);
    if (present)
      throw new ServiceError("conflict", `You are signed in already. Sign out first with: ${logoutOf(present)}`);
    this.cancel(user);
    return this.#start({ user, room, network, login });
  }

  /** Takes one answer; the message that carried it is redacted where it was secret. */
  async input(user: UserId, room: RoomId, text: string, event: MatrixEvent): Promise<string> {
    const dialogue = this.#open.get(user);
    const field = dialogue?.field;
    if (!dialogue) return "There is no login to continue. Begin with: login";
    if (!field) return "The login goes on by itself; nothing is asked for now. To give it up: cancel";
    const secret = field.type === "password" || field.type === "token";
    if (secret && !(await this.#redact(room, event.event_id)))
      dialogue.say("I may not remove messages here: please delete the message with your secret yourself.");
    const next = dialogue.next();
    dialogue.answer(text);
    return next;
  }

  cancel(user: UserId): string {
    const dialogue = this.#open.get(user);
    if (!dialogue) return "There is nothing to cancel.";
    dialogue.giveUp(new ServiceError("invalid", "The login was given up."));
    return "The login is given up.";
  }

  /** Gives up what is under way; resolves when whoever it is has been told so. */
  async stop(): Promise<void> {
    for (const dialogue of this.#open.values())
      dialogue.giveUp(new ServiceError("invalid", "The bridge stopped meanwhile. Begin again with: login"));
    await Promise.all(this.#underWay);
  }

  async list(user: UserId): Promise<string> {
    const logins = await this.parts.logins.of(user);
    if (logins.length === 0) return "You are not signed in. Sign in with: login";
    return logins.map((login) => `${login.account.name} – sign out with: ${logoutOf(login)}`).join("\n");
  }

  /** `typed`: of which network, where the user has signed in to several. */
  async logout(user: UserId, typed: string): Promise<string> {
    const { runtime, logins } = this.parts;
    const login = loginNamed(await logins.of(user), typed);
    await runtime.handlers.logout?.(login);
    await logins.remove(login);
    return `Signed out; ${login.account.name} is forgotten.`;
  }

  /** @throws ServiceError where it is not clear */
  #networkFor(typed: string): string | undefined {
    const names = this.parts.runtime.handlers.accountNetworks?.names ?? [];
    if (names.length === 0 || (names.length === 1 && typed === "")) return names[0];
    const found = names.find((name) => isSame(name, typed));
    if (found !== undefined) return found;
    const which = `Say which: login <network>, one of ${names.join(", ")}`;
    throw new ServiceError(
      "invalid",
      typed === ""
        ? `You can sign in to each of several networks. ${which}`
        : `There is no network “${typed}”. ${which}`,
    );
  }

  #start({ user, room, network, login }: Beginning): Promise<string> {
    const { runtime, logins, permissions } = this.parts;
    const dialogue = new Dialogue(runtime, room);
    this.#open.set(user, dialogue);
    const cancelTimer = runtime.clock.after(patienceMs, () =>
      dialogue.giveUp(new ServiceError("invalid", "The login took too long. Begin again with: login")),
    );
    const first = dialogue.next();
    const ended = new AbortController();
    dialogue.abandoned.catch(() => ended.abort());
    const session: LoginSession = {
      user,
      ...(network !== undefined && { network }),
      signal: ended.signal,
      say: (text) => {
        dialogue.say(text);
        return Promise.resolve();
      },
      ask: <const Id extends string>(fields: readonly LoginField<Id>[]) => dialogue.ask(fields),
    };
    const underWay = Promise.race([login(session), dialogue.abandoned])
      .then((account) => {
        // A login may take minutes.
        if (permissions.bans(user)) throw new ServiceError("forbidden", bannedText);
        return logins.save(user, account, network);
      })
      .then(async (saved) => {
        await runtime.handlers.signedIn?.(saved);
        return `Signed in as ${saved.account.name}.`;
      })
      .catch((error: unknown) => `The login failed: ${error instanceof Error ? error.message : String(error)}`)
      .then((text) => {
        cancelTimer();
        // Another one may have begun in its place.
        if (this.#open.get(user) === dialogue) this.#open.delete(user);
        return dialogue.end(text);
      })
      .finally(() => this.#underWay.delete(underWay));
    this.#underWay.add(underWay);
    return first;
  }

  async #redact(room: RoomId, event: string): Promise<boolean> {
    const { runtime } = this.parts;
    const redacted = await runtime.client.redact({
      room,
      eventId: EventId(event),
      txnId: effectIdOf(runtime.name, "secret", event),
      reason: "It held a secret.",
    });
    if (!redacted.ok) runtime.log.warn({ room, event }, "A message with a secret could not be redacted");
    return redacted.ok;
  }
}

/** @throws ServiceError where it is not clear which one is meant */
function loginNamed(logins: readonly Login[], typed: string): Login {
  if (logins.length === 0) throw new ServiceError("notFound", "You are not signed in.");
  const [only, ...others] = logins;
  // A bridge to one network needs no name, and takes any.
  if (only && others.length === 0 && (typed === "" || only.network === undefined)) return only;
  const found = logins.find(({ network }) => network !== undefined && isSame(network, typed));
  if (found) return found;
  const list = logins.map(({ account }) => account.name).join(", ");
  const choices = logins.map(logoutOf).join(" or ");
  throw typed === ""
    ? new ServiceError("invalid", `You are signed in more than once: ${list}. Say which: ${choices}`)
    : new ServiceError("notFound", `You are not signed in to “${typed}”, but: ${list}. Sign out with: ${choices}`);
}

function logoutOf({ network }: Login): string {
  return network === undefined ? "logout" : `logout ${network}`;
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
