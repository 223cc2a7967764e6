import type { MatrixEvent } from "../appservice/event.js";
import { effectIdOf } from "../bridge/effect-id.js";
import type { BridgeRuntime } from "../bridge/runtime.js";
import type { LoginField, LoginSession } from "../connector/login-session.js";
import { EventId, type RoomId, type UserId } from "../connector/ids.js";
import type { Logins } from "../mapping/logins.js";
import { ServiceError } from "../services/services.js";
import { Dialogue } from "./dialogue.js";

export interface LoginParts {
  readonly runtime: BridgeRuntime;
  readonly logins: Logins;
}

const patienceMs = 10 * 60_000;

/** Logins by chat: the connector asks for fields, the person types them one message each. */
export class LoginDialogues {
  readonly #open = new Map<UserId, Dialogue>();

  constructor(readonly parts: LoginParts) {}

  isOpen(user: UserId, room: RoomId): boolean {
    return this.#open.get(user)?.room === room;
  }

  async begin(user: UserId, room: RoomId): Promise<string> {
    const { runtime, logins } = this.parts;
    const { login } = runtime.handlers;
    if (!login)
      throw new ServiceError(
        "invalid",
        `${runtime.networkName} needs no login: what you write is delivered under your name.`,
      );
    const members = await runtime.client.joinedMembers(room);
    if (!members.ok || members.body.size > 2) {
      throw new ServiceError(
        "invalid",
        `A login is for you alone: start a direct chat with ${runtime.bot} and type login there.`,
      );
    }
    if (await logins.of(user))
      throw new ServiceError("conflict", "You are signed in already. Sign out first with: logout");
    this.cancel(user);
    return this.#start(user, room, login);
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

  async logout(user: UserId): Promise<string> {
    const { runtime, logins } = this.parts;
    const login = await logins.of(user);
    if (!login) throw new ServiceError("notFound", "You are not signed in.");
    await runtime.handlers.logout?.(login);
    await logins.remove(login);
    return `Signed out; ${login.account.name} is forgotten.`;
  }

  #start(user: UserId, room: RoomId, login: NonNullable<BridgeRuntime["handlers"]["login"]>): Promise<string> {
    const { runtime, logins } = this.parts;
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
      signal: ended.signal,
      say: (text) => {
        dialogue.say(text);
        return Promise.resolve();
      },
      ask: <const Id extends string>(fields: readonly LoginField<Id>[]) => dialogue.ask(fields),
    };
    void Promise.race([login(session), dialogue.abandoned])
      .then((account) => logins.save(user, account))
      .then(async (saved) => {
        await runtime.handlers.signedIn?.(saved);
        return `Signed in as ${saved.account.name}.`;
      })
      .catch((error: unknown) => `The login failed: ${error instanceof Error ? error.message : String(error)}`)
      .then((text) => {
        cancelTimer();
        this.#open.delete(user);
        dialogue.end(text);
      });
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
