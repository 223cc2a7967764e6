import { LRUCache } from "lru-cache";
import type { MatrixEvent } from "../appservice/event.js";
import { effectIdOf } from "../bridge/effect-id.js";
import { bannedText } from "../bridge/linker.js";
import type { Permissions } from "../bridge/permissions.js";
import type { BridgeRuntime } from "../bridge/runtime.js";
import type { Login } from "../connector/connector.js";
import type { LoginField, LoginSession } from "../connector/login-session.js";
import type { ToMatrixPayload } from "../bridge/to-matrix/payload.js";
import { toMatrix } from "../delivery/entry.js";
import { EventId, RoomId, UserId } from "../connector/ids.js";
import type { BegunLogin, BegunLogins } from "../mapping/begun-logins.js";
import { atMost } from "../mapping/cache-bound.js";
import type { Logins } from "../mapping/logins.js";
import { ServiceError } from "../services/services.js";
import { Dialogue } from "./dialogue.js";
import { editedBy } from "./recognise.js";

export interface LoginParts {
  readonly permissions: Permissions;
  readonly runtime: BridgeRuntime;
  readonly logins: Logins;
  readonly begun: BegunLogins;
}

interface Beginning {
  readonly user: UserId;
  readonly room: RoomId;
  readonly network: string | undefined;
  readonly login: NonNullable<BridgeRuntime["handlers"]["login"]>;
  readonly begun: BegunLogin;
}

const patienceMs = 10 * 60_000;
const notRemoved = "I may not remove messages here: please delete the message with your secret yourself.";
const stopped = "The bridge stopped meanwhile. Begin again with: login";

/** Logins by chat: the connector asks for fields, the person types them one message each. */
export class LoginDialogues {
  readonly #open = new Map<UserId, Dialogue>();
  /** Each until its last words are on disk. */
  readonly #underWay = new Set<Promise<void>>();
  /** Where those were asked whose login ended with a process that died, until they say something; and for how long. */
  readonly #interrupted = new Map<UserId, { readonly room: RoomId; readonly until: number }>();
  /** Of these their people are still to be told. */
  readonly #left: BegunLogin[] = [];
  /** Messages with secrets, by their ids. */
  readonly #secrets = new LRUCache<string, true>(atMost(1_000));
  #isStopping = false;

  constructor(readonly parts: LoginParts) {}

  async load(): Promise<void> {
    const until = this.parts.runtime.clock.now() + patienceMs;
    this.#left.push(...(await this.parts.begun.all()));
    for (const { user, room } of this.#left) this.#interrupted.set(user, { room, until });
  }

  async tellInterrupted(): Promise<void> {
    const { runtime, begun } = this.parts;
    // Not those on disk now: another may have begun since.
    for (const login of this.#left.splice(0)) {
      const payload: ToMatrixPayload = { via: "notice", text: failed(stopped) };
      const cause = { direction: toMatrix, lane: login.room, source: `login ${login.id}`, payload } as const;
      await runtime.journal.append([cause], [begun.removal(login)]);
    }
  }

  /** Whether an event is for a login: typed into one that is under way, or an edit of a secret that was. */
  concerns(event: MatrixEvent): boolean {
    if (this.isOpen(UserId(event.sender), RoomId(event.room_id))) return true;
    return this.#secrets.size > 0 && this.#secrets.has(editedBy(event) ?? "");
  }

  isOpen(user: UserId, room: RoomId): boolean {
    return this.#open.get(user)?.room === room || this.#wasAsking(user, room);
  }

  /** Whether something is to be typed now, or may be because it was asked for by a process that died. */
  isAsking(user: UserId, room: RoomId): boolean {
    const dialogue = this.#open.get(user);
    return dialogue ? dialogue.room === room && dialogue.field !== undefined : this.#wasAsking(user, room);
  }

  #wasAsking(user: UserId, room: RoomId): boolean {
    const interrupted = this.#interrupted.get(user);
    return interrupted?.room === room && this.parts.runtime.clock.now() < interrupted.until;
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
    if (this.#isStopping) throw new ServiceError("unavailable", "The bridge stops now. Try again in a minute.");
    const begun = await this.parts.begun.add(user, room);
    // With what is left of one that was interrupted.
    this.cancel(user);
    return this.#start({ user, room, network, login, begun });
  }

  /** Takes one answer; the message that carried it is redacted where it was secret. */
  async input(user: UserId, room: RoomId, text: string, event: MatrixEvent): Promise<string> {
    const dialogue = this.#open.get(user);
    const field = dialogue?.field;
    if (!dialogue) return this.#late(user, room, event);
    if (!field) return "The login goes on by itself; nothing is asked for now. To give it up: cancel";
    const secret = field.type === "password" || field.type === "token";
    if (secret && !(await this.#redact(room, event.event_id))) dialogue.say(notRemoved);
    const next = dialogue.next();
    dialogue.answer(text);
    return next;
  }

  /** Answers an edit, which is not read. One that may hold a secret is removed. */
  async edited(event: MatrixEvent): Promise<string> {
    const again = "Write it as a message of its own.";
    if (!this.concerns(event)) return `An edit is not read. ${again}`;
    const removed = await this.#redact(RoomId(event.room_id), event.event_id);
    return removed
      ? `An edit is not read, and I removed it, for it may hold a secret. ${again}`
      : `An edit is not read. ${notRemoved} ${again}`;
  }

  cancel(user: UserId): string {
    const dialogue = this.#open.get(user);
    const wasInterrupted = this.#interrupted.delete(user);
    if (!dialogue) return wasInterrupted ? "The login is given up." : "There is nothing to cancel.";
    dialogue.giveUp(new ServiceError("invalid", "The login was given up."));
    return "The login is given up.";
  }

  /** Gives up what is under way; resolves when whoever it is has been told so. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const dialogue of this.#open.values()) dialogue.giveUp(new ServiceError("invalid", stopped));
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

  #start({ user, room, network, login, begun }: Beginning): Promise<string> {
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
      .catch((error: unknown) => failed(error instanceof Error ? error.message : String(error)))
      .then((text) => {
        cancelTimer();
        // Another one may have begun in its place.
        if (this.#open.get(user) === dialogue) this.#open.delete(user);
        return dialogue.end(text);
      })
      .then(() => this.parts.begun.remove(begun))
      .catch((error: unknown) => runtime.log.error({ err: error, room }, "The end of a login could not be kept"))
      .finally(() => this.#underWay.delete(underWay));
    this.#underWay.add(underWay);
    return first;
  }

  /** What is typed for a login that ended with a process that died may be a secret. */
  async #late(user: UserId, room: RoomId, event: MatrixEvent): Promise<string> {
    this.#interrupted.delete(user);
    const removed = await this.#redact(room, event.event_id);
    return `The login ended when the bridge stopped. ${removed ? "I removed what you typed, for it may be a secret." : notRemoved} Begin again with: login`;
  }

  async #redact(room: RoomId, event: string): Promise<boolean> {
    const { runtime } = this.parts;
    this.#secrets.set(event, true);
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

function failed(why: string): string {
  return `The login failed: ${why}`;
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
