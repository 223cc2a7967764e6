import type { XmppElement } from "@xmpp/component";
import { waitFor } from "../../tools/wait.js";
import { Timeline, type MatrixPerson } from "../matrix-client.js";
import { AccountClient } from "./account-client.js";
import { Conversation } from "./conversation.js";
import type { Speakers } from "./speakers.js";

/** Each with the name as the password. The first is somebody on XMPP alone, the others belong to people on Matrix. */
export const accountUsers = ["dora", "pat", "quinn"] as const;
const [contactUser, ...ownerUsers] = accountUsers;
const resource = "phone";
const signInWithinMs = 60_000;

/** Somebody on Matrix with an account on XMPP, which they use with a client as well. */
export interface AccountOwner {
  readonly person: MatrixPerson;
  /** What they are called in rooms with the client of their own. */
  readonly nick: string;
  readonly client: AccountClient;
  readonly conversation: Conversation;
}

export interface AccountPeopleOptions {
  readonly server: { readonly clientPort: number; readonly domain: string };
  readonly rooms: readonly string[];
  /** The first of them get accounts. */
  readonly people: readonly MatrixPerson[];
  readonly note: (text: string) => void;
}

/** People with accounts: those of some people on Matrix, and one with whom these talk alone. */
export class AccountPeople {
  readonly contact: AccountClient;
  readonly owners: readonly AccountOwner[];

  constructor({ server, rooms, people, note }: AccountPeopleOptions) {
    this.contact = new AccountClient({
      ...{ server, user: contactUser, resource, rooms: [], nick: contactUser, note },
      onMessage: (message) => this.#take(this.contact, message),
    });
    this.owners = people.slice(0, ownerUsers.length).map((person, index): AccountOwner => {
      const nick = `phone${index}`;
      const client: AccountClient = new AccountClient({
        ...{ server, user: ownerUsers[index] ?? "", resource, rooms, nick, note },
        onMessage: (message) => this.#take(client, message),
      });
      const contact = { nick: contactUser, client: this.contact, resource };
      const conversation = new Conversation(contact, { nick, client, resource }, localpart(person));
      return { person, nick, client, conversation };
    });
  }

  /** Those who are in rooms with a client. What rooms show, others see. */
  get inRooms(): Speakers {
    const of = (nick: string): AccountClient | undefined => this.owners.find((owner) => owner.nick === nick)?.client;
    return {
      nicks: this.owners.map(({ nick }) => nick),
      isIn: (room, nick) => of(nick)?.isIn(room) === true,
      say: (room, nick, ...children) => {
        const client = of(nick);
        return client?.isIn(room) === true ? client.say(room, "groupchat", ...children) : undefined;
      },
      shownIn: () => [],
      addressOf: (room, nick) => `${room}/${nick}`,
    };
  }

  /** Resolves when all are in their rooms. */
  async start(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.start()));
  }

  areIn(): boolean {
    return this.#clients.every((client) => client.isIn());
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  get #clients(): readonly AccountClient[] {
    return [this.contact, ...this.owners.map(({ client }) => client)];
  }

  #take(client: AccountClient, message: XmppElement): void {
    if (message.attrs["type"] === "groupchat") return;
    for (const { conversation } of this.owners) conversation.take(client, message);
  }
}

/** Signs somebody in with an account: in a chat with the bridge's bot, as people do. */
export async function signIn(person: MatrixPerson, bot: string, jid: string, password: string): Promise<void> {
  const room = await person.createDirect(bot);
  const timeline = new Timeline(person, room);
  let transactions = 0;
  const say = (body: string): Promise<string> =>
    person.send(room, `sign-in-${++transactions}`, { msgtype: "m.text", body, "m.mentions": {} });
  const answer = (pattern: RegExp): Promise<boolean> =>
    waitFor(`the bot to say ${String(pattern)}`, signInWithinMs, async () => {
      await timeline.read();
      return timeline.events.some(
        ({ sender, content }) =>
          sender === bot &&
          [content["body"], content["membership"]].some((text) => typeof text === "string" && pattern.test(text)),
      );
    });
  await answer(/^join$/);
  await say("login");
  await answer(/XMPP address/);
  await say(jid);
  await answer(/[Pp]assword/);
  await say(password);
  await answer(/^Signed in as/);
}

export function localpart({ userId }: MatrixPerson): string {
  return userId.slice(1, userId.indexOf(":"));
}
