import type { MatrixEvent } from "../appservice/event.js";
import { effectIdOf } from "../bridge/effect-id.js";
import type { BridgeRuntime } from "../bridge/runtime.js";
import type { LoginField } from "../connector/connector.js";
import { EventId, type RoomId, type UserId } from "../connector/ids.js";
import type { Logins } from "../mapping/logins.js";
import { ServiceError } from "../services/services.js";

export interface LoginParts {
  readonly runtime: BridgeRuntime;
  readonly logins: Logins;
}

/** A login that waits for what a person types next. */
interface Dialogue {
  readonly room: RoomId;
  readonly answers: Map<string, string>;
  readonly said: string[];
  fields: readonly LoginField[];
  /** Wakes the connector's login with what was typed. */
  typed: ((values: Readonly<Record<string, string>>) => void) | undefined;
  giveUp: (error: Error) => void;
  /** Resolves when the login asks again or ends, to what the person is told. */
  next: Promise<string>;
  cancelTimer: () => void;
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
    const field = dialogue?.fields.find((each) => !dialogue.answers.has(each.id));
    if (!dialogue || !field) return "There is no login to continue. Begin with: login";
    const secret = field.type === "password" || field.type === "token";
    if (secret && !(await this.#redact(room, event.event_id))) {
      dialogue.said.push("I may not remove messages here: please delete the message with your secret yourself.");
    }
    dialogue.answers.set(field.id, field.optional === true && text === "-" ? "" : text);
    const rest = dialogue.fields.find((each) => !dialogue.answers.has(each.id));
    if (rest) return [...dialogue.said.splice(0), ask(rest)].join("\n");
    const values = Object.fromEntries(dialogue.answers);
    dialogue.answers.clear();
    dialogue.typed?.(values);
    return dialogue.next;
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

  async #start(user: UserId, room: RoomId, login: NonNullable<BridgeRuntime["handlers"]["login"]>): Promise<string> {
    const { runtime, logins } = this.parts;
    let tell: (text: string) => void = () => undefined;
    const renew = (dialogue: Dialogue): void => {
      dialogue.next = new Promise((resolve) => (tell = resolve));
    };
    let abandon: (error: Error) => void = () => undefined;
    const abandoned = new Promise<never>((_resolve, reject) => (abandon = reject));
    const dialogue: Dialogue = {
      room,
      answers: new Map(),
      said: [],
      fields: [],
      typed: undefined,
      giveUp: (error) => abandon(error),
      next: Promise.resolve(""),
      cancelTimer: runtime.clock.after(patienceMs, () =>
        abandon(new ServiceError("invalid", "The login took too long. Begin again with: login")),
      ),
    };
    renew(dialogue);
    this.#open.set(user, dialogue);
    const first = dialogue.next;
    const session = {
      user,
      say: (text: string): Promise<void> => {
        dialogue.said.push(text);
        return Promise.resolve();
      },
      ask: <const Id extends string>(fields: readonly LoginField<Id>[]): Promise<Readonly<Record<Id, string>>> => {
        dialogue.fields = fields;
        const [field] = fields;
        tell([...dialogue.said.splice(0), field ? ask(field) : ""].join("\n"));
        renew(dialogue);
        return new Promise((resolve) => {
          dialogue.typed = (values) => resolve(values);
        });
      },
    };
    const finished = Promise.race([login(session), abandoned])
      .then((account) => logins.save(user, account))
      .then((saved) => `Signed in as ${saved.account.name}.`)
      .catch((error: unknown) => `The login failed: ${error instanceof Error ? error.message : String(error)}`)
      .finally(() => {
        dialogue.cancelTimer();
        this.#open.delete(user);
      });
    void finished.then((text) => tell([...dialogue.said.splice(0), text].join("\n")));
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

function ask(field: LoginField): string {
  const hint = field.hint === undefined ? "" : ` (${field.hint})`;
  return `${field.label}${hint}:${field.optional === true ? " (- for none)" : ""}`;
}
