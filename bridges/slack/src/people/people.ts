import type { Logger, RemoteUser } from "@trestle/core";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import type { SlackSender } from "../content/index.js";
import type { SlackFailure, SlackResult, Workspace } from "../link/index.js";
import { remoteUserOf } from "./remote-user.js";

/** A person as `users.info` and `user_change` give them, as far as it is used. */
const userSchema = z.looseObject({
  id: z.string().min(1),
  team_id: z.string().optional(),
  name: z.string().optional(),
  real_name: z.string().optional(),
  deleted: z.boolean().optional(),
  is_bot: z.boolean().optional(),
  profile: z
    .looseObject({
      display_name: z.string().optional(),
      real_name: z.string().optional(),
      avatar_hash: z.string().optional(),
      image_512: z.string().optional(),
      image_192: z.string().optional(),
      image_72: z.string().optional(),
    })
    .optional(),
});
type SlackUser = z.output<typeof userSchema>;

const infoSchema = z.looseObject({ user: userSchema });
const botSchema = z.looseObject({
  bot: z.looseObject({
    id: z.string().optional(),
    name: z.string().optional(),
    icons: z.record(z.string(), z.unknown()).optional(),
  }),
});

/** How long a profile is believed that nobody said anything of. */
const profileMs = 6 * 3_600_000;
/** How long one that could not be had is not asked for again. */
const strangerMs = 10 * 60_000;

/** Somebody's names and picture, and by which id they are known to the core. */
export interface Person {
  readonly remote: RemoteUser;
  readonly deleted: boolean;
}

/** The people of all workspaces, as far as they were needed: asked for once, and kept up by Slack's events. */
export class People {
  readonly #known = new LRUCache<string, Person>({ max: 20_000, ttl: profileMs });
  readonly #strangers = new LRUCache<string, Person>({ max: 5_000, ttl: strangerMs });
  readonly #bots = new LRUCache<string, { readonly name: string }>({ max: 5_000, ttl: profileMs });

  constructor(readonly log: Logger) {}

  /** Without asking anybody. */
  known(workspace: Workspace, id: string): Person | undefined {
    const key = keyOf(workspace, id);
    return this.#known.get(key) ?? this.#strangers.get(key);
  }

  /** Asks Slack where nothing is known. A person Slack will not tell of still has an id and a name: that id. */
  async find(
    workspace: Workspace,
    id: string,
    options: { readonly team?: string | undefined; readonly signal?: AbortSignal } = {},
  ): Promise<SlackResult<Person>> {
    const known = this.known(workspace, id);
    if (known) return { ok: true, body: known };
    const { team, signal } = options;
    const result = await workspace.call({
      method: "users.info",
      arguments: { user: id },
      answer: infoSchema,
      ...(signal && { signal }),
    });
    if (result.ok) return { ok: true, body: this.#keep(workspace, result.body.user, team) };
    if (result.failed !== "permanent") return result;
    this.log.info({ user: id, reason: result.reason }, "Slack does not tell who somebody is; their id stands for them");
    const stranger = strangerOf(workspace, id, team);
    this.#strangers.set(keyOf(workspace, id), stranger);
    return { ok: true, body: stranger };
  }

  /** Takes a profile from an event. `undefined` where it is none. */
  changed(workspace: Workspace, user: unknown): Person | undefined {
    const parsed = userSchema.safeParse(user);
    return parsed.success ? this.#keep(workspace, parsed.data, undefined) : undefined;
  }

  /** The sender of a message: a person, or an app under the name it gave the message. */
  async sender(workspace: Workspace, sender: SlackSender, signal: AbortSignal): Promise<SlackResult<RemoteUser>> {
    const { user, team, botId, name, icons, isOverride } = sender;
    if (user !== undefined && !isOverride) {
      const person = await this.find(workspace, user, { team, signal });
      return person.ok ? { ok: true, body: person.body.remote } : person;
    }
    const id = botId ?? user ?? "unknown";
    const shown = name === undefined ? await this.#botName(workspace, id, signal) : { ok: true as const, body: name };
    if (!shown.ok) return shown;
    const identity = {
      kind: "bot",
      team: team ?? workspace.id,
      id,
      ...(isOverride && name !== undefined && { name }),
    } as const;
    const image = icons?.image;
    return {
      ok: true,
      body: {
        id: remoteUserOf(identity),
        name: shown.body,
        isBot: true,
        ...(image !== undefined && { avatar: { id: image, url: image } }),
      },
    };
  }

  async #botName(workspace: Workspace, id: string, signal: AbortSignal): Promise<SlackResult<string>> {
    const key = keyOf(workspace, id);
    const known = this.#bots.get(key);
    if (known) return { ok: true, body: known.name };
    const result = await workspace.call({ method: "bots.info", arguments: { bot: id }, answer: botSchema, signal });
    if (!result.ok && result.failed !== "permanent") return result;
    const name = (result.ok ? result.body.bot.name : undefined) ?? id;
    this.#bots.set(key, { name });
    return { ok: true, body: name };
  }

  #keep(workspace: Workspace, user: SlackUser, team: string | undefined): Person {
    const person = personOf(workspace, user, team);
    this.#known.set(keyOf(workspace, user.id), person);
    this.#strangers.delete(keyOf(workspace, user.id));
    return person;
  }
}

function personOf(workspace: Workspace, user: SlackUser, team: string | undefined): Person {
  const { profile = {}, deleted = false } = user;
  const name = firstGiven(profile.display_name, profile.real_name, user.real_name, user.name) ?? user.id;
  const url = firstGiven(profile.image_512, profile.image_192, profile.image_72);
  return {
    deleted,
    remote: {
      id: remoteUserOf({ kind: "user", team: user.team_id ?? team ?? workspace.id, id: user.id }),
      name: deleted ? `${name} (deactivated)` : name,
      ...(user.is_bot === true && { isBot: true }),
      ...(url !== undefined && { avatar: { id: firstGiven(profile.avatar_hash) ?? url, url } }),
    },
  };
}

function strangerOf(workspace: Workspace, id: string, team: string | undefined): Person {
  return { deleted: false, remote: { id: remoteUserOf({ kind: "user", team: team ?? workspace.id, id }), name: id } };
}

function firstGiven(...texts: readonly (string | undefined)[]): string | undefined {
  return texts.find((text) => text !== undefined && text.trim() !== "");
}

function keyOf(workspace: Workspace, id: string): string {
  return `${workspace.id} ${id}`;
}

/** What a listener answers when somebody could not be looked up. */
export function failureOf({
  failed,
  reason,
  afterMs,
}: SlackFailure): Pick<SlackFailure, "failed" | "reason" | "afterMs"> {
  return { failed, reason, ...(afterMs !== undefined && { afterMs }) };
}
