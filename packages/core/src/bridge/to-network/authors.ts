import type { Author } from "../../connector/effects.js";
import { ContentUri, UserId, type LoginId } from "../../connector/ids.js";
import type { Logins } from "../../mapping/logins.js";
import type { Member } from "../../mapping/members.js";
import type { Room } from "../../mapping/rooms.js";
import { classify } from "../../matrix/failure.js";
import type { MatrixResult } from "../../matrix/result.js";
import type { BridgeRuntime } from "../runtime.js";

/** Who speaks: name and picture in the room, asked of the homeserver the first time only, and their login. */
export class Authors {
  constructor(
    readonly runtime: BridgeRuntime,
    readonly logins: Logins,
  ) {}

  /** Without asking anybody: `undefined` where it is not in memory. */
  known(room: Room, user: string): MatrixResult<Author> | undefined {
    const member = this.runtime.members.cached(room.key, user);
    const { logins } = this;
    return member && logins.loaded ? authorOf(user, member, logins.knownIdOf(user)) : undefined;
  }

  async of(room: Room, user: string): Promise<MatrixResult<Author>> {
    const known = await this.runtime.members.find(room.key, user);
    const member = known ? { ok: true as const, body: known } : await this.#ask(room, user);
    if (!member.ok) return member;
    return authorOf(user, member.body, await this.logins.idOf(user));
  }

  async #ask(room: Room, user: string): Promise<MatrixResult<Member>> {
    const state = await this.runtime.client.getState({ room: room.id, type: "m.room.member", stateKey: user });
    if (!state.ok && classify(state.failure).action === "retry") return state;
    // The bot may not see the room's state: the message goes on under the localpart.
    const member = memberOf(state.ok && state.body !== null ? state.body : {});
    if (state.ok) await this.runtime.store.commit(this.runtime.members.set(room.key, user, member));
    return { ok: true, body: member };
  }
}

function authorOf(user: string, { name, avatar }: Member, login: LoginId | undefined): MatrixResult<Author> {
  const author: Author = {
    userId: UserId(user),
    name: name !== undefined && name.trim() !== "" ? name : localpartOf(user),
    ...(avatar !== undefined && { avatar: ContentUri(avatar) }),
    ...(login !== undefined && { login }),
  };
  return { ok: true, body: author };
}

/** Reads the content of an `m.room.member` event. */
export function memberOf(content: Readonly<Record<string, unknown>>): Member {
  const { membership, displayname, avatar_url } = content;
  return {
    membership: typeof membership === "string" ? membership : "leave",
    name: typeof displayname === "string" ? displayname : undefined,
    avatar: typeof avatar_url === "string" && avatar_url.startsWith("mxc://") ? avatar_url : undefined,
  };
}

export function localpartOf(user: string): string {
  return user.slice(1).split(":", 1)[0] ?? user;
}
