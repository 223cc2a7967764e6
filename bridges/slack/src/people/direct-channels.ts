import {
  ChannelId,
  type ConnectorStorage,
  type DirectConversation,
  type RemoteUser,
  type RemoteUserId,
  type UserId,
} from "@trestle/core";
import { z } from "zod";
import { channelIdOf, placeOf } from "../ids.js";
import type { Listener, SlackResult, Workspace } from "../link/index.js";
import type { Account, Accounts } from "./accounts/index.js";
import type { People } from "./people.js";
import { userOf } from "./remote-user.js";

export interface DirectChannelParts {
  readonly storage: ConnectorStorage;
  readonly accounts: Accounts;
  readonly people: People;
}

const placedSchema = z.looseObject({ channel_type: z.enum(["im", "mpim"]) });
const toldSchema = z.looseObject({
  event: placedSchema,
  authorizations: z.array(z.looseObject({ user_id: z.string().nullish(), is_bot: z.boolean().optional() })).nullish(),
});
const membersSchema = z.looseObject({ members: z.array(z.string()).default([]) });
const openedSchema = z.looseObject({ channel: z.looseObject({ id: z.string().min(1) }) });

const prefix = "direct:";
/** Slack lets nine take part. */
const mostMembers = 20;

/**
 * Direct messages, alone and in groups, of people who signed in. The app is in none of them: it sees them through the eyes
 * of whoever let it. Through whose is remembered, for what Slack does not say it of.
 */
export class DirectChannels {
  /** The Slack user through whose eyes a conversation is seen. */
  readonly #readers = new Map<ChannelId, string>();

  constructor(readonly parts: DirectChannelParts) {}

  async load(): Promise<void> {
    const { storage } = this.parts;
    for (const key of await storage.keys(prefix)) {
      const user = await storage.get(key);
      if (user !== undefined) this.#readers.set(ChannelId(key.slice(prefix.length)), user);
    }
  }

  /** Whether an event is said where only somebody who signed in can hear it. */
  concerns(team: string, event: unknown): boolean {
    return placedSchema.safeParse(event).success && this.parts.accounts.inTeam(team).length > 0;
  }

  has(channel: ChannelId): boolean {
    return this.#readers.has(channel);
  }

  /** The workspace as whoever takes part in a conversation sees it; `undefined` where nobody of them is signed in. */
  workspaceOf(channel: ChannelId): Workspace | undefined {
    const { accounts } = this.parts;
    const place = placeOf(channel);
    const user = this.#readers.get(channel);
    const account = place && user !== undefined ? accounts.ofSlackUser(place.team, user) : undefined;
    return account && accounts.workspaceOf(account);
  }

  /** Through whose eyes Slack told of something, where it was not the app itself. */
  async note(team: string, channel: ChannelId, envelope: unknown): Promise<void> {
    const told = toldSchema.safeParse(envelope);
    const [authorization] = told.success ? (told.data.authorizations ?? []) : [];
    if (!authorization || authorization.is_bot === true) return;
    const { user_id: user } = authorization;
    if (user && this.parts.accounts.ofSlackUser(team, user)) await this.#remember(channel, user);
  }

  /** Since when somebody who signed in hears what is said in a conversation; `undefined` where nobody does, or it is none. */
  async heardSince(team: string, channel: string, envelope: unknown): Promise<number | undefined> {
    if (!toldSchema.safeParse(envelope).success) return undefined;
    const id = channelIdOf({ team, channel });
    await this.note(team, id, envelope);
    const user = this.#readers.get(id);
    return user === undefined ? undefined : this.parts.accounts.ofSlackUser(team, user)?.since;
  }

  /** Through whose eyes conversations can be seen now. */
  listeners(): readonly Listener[] {
    const { accounts } = this.parts;
    return accounts.all().flatMap((account) => {
      const { team, user, since } = account;
      const workspace = accounts.workspaceOf(account);
      return workspace ? [{ workspace, team, user, since, hears: (channel) => this.#remember(channel, user) }] : [];
    });
  }

  /** Who takes part in a conversation that has no room yet. */
  async conversation(
    workspace: Workspace,
    channel: ChannelId,
    signal: AbortSignal,
  ): Promise<SlackResult<DirectConversation | undefined>> {
    const { accounts, people } = this.parts;
    const place = placeOf(channel);
    if (!place || !this.#readers.has(channel)) return { ok: true, body: undefined };
    const found = await workspace.call({
      method: "conversations.members",
      arguments: { channel: place.channel, limit: mostMembers },
      answer: membersSchema,
      signal,
    });
    if (!found.ok) return found;
    const users: UserId[] = [];
    const others: RemoteUser[] = [];
    const names: string[] = [];
    for (const member of found.body.members) {
      const account = accounts.ofSlackUser(place.team, member);
      const person = await people.find(workspace, member, { signal });
      if (!person.ok) return person;
      if (account) users.push(account.matrixUser);
      else others.push(person.body.remote);
      names.push(person.body.remote.name ?? member);
    }
    const name = others.length > 0 ? others.map((each) => each.name ?? each.id).join(", ") : names.join(", ");
    return { ok: true, body: users.length === 0 ? undefined : { users, people: others, name } };
  }

  /** The conversation of a Matrix user who signed in with somebody of Slack. @throws Error with what is missing */
  async open(user: UserId, remote: RemoteUserId): Promise<ChannelId> {
    const { accounts } = this.parts;
    const person = userOf(remote);
    if (!person) throw new Error("An app of Slack's cannot be talked to alone.");
    const account: Account | undefined = accounts.ofMatrixUser(person.team, user) ?? accounts.anyOf(user);
    const workspace = account && accounts.workspaceOf(account);
    if (!workspace) throw new Error("Sign in to Slack first: write login to the bridge bot in a room of your own.");
    const opened = await workspace.call({
      method: "conversations.open",
      arguments: { users: person.id },
      answer: openedSchema,
    });
    if (!opened.ok) throw new Error(`${opened.reason}.`);
    const channel = channelIdOf({ team: account.team, channel: opened.body.channel.id });
    await this.#remember(channel, account.user);
    return channel;
  }

  async #remember(channel: ChannelId, user: string): Promise<void> {
    const known = this.#readers.get(channel);
    const place = placeOf(channel);
    // Of two who signed in one is enough, as long as they are.
    if (known !== undefined && place && this.parts.accounts.ofSlackUser(place.team, known)) return;
    await this.parts.storage.set(`${prefix}${channel}`, user);
    this.#readers.set(channel, user);
  }
}
