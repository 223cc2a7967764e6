import { join } from "node:path";
import { type NedbDocument, readNedb, rowIn, textIn } from "@trestle/core";
import type { Kept, KeptChannel, KeptQuery, KeptUser } from "./kept.js";

const files = { rooms: "rooms.db", users: "users.db" } as const;

/** The NeDB files of matrix-appservice-irc, in the directory of its `database.connectionString`. */
export class KeptInNedb implements Kept {
  readonly unreadable = new Map<string, number>();

  private constructor(readonly directory: string) {}

  /** @throws Error where the files are not there */
  static async open(directory: string): Promise<KeptInNedb> {
    if (!(await readNedb(join(directory, files.rooms))))
      throw new Error(
        `There is no ${files.rooms} in ${directory}: give the directory that database.connectionString names in the configuration of matrix-appservice-irc (without nedb://), or the URL of its PostgreSQL database (postgres://user@host/database).`,
      );
    return new KeptInNedb(directory);
  }

  channels(): AsyncIterable<KeptChannel> {
    return this.#each(files.rooms, "channel", (document) => {
      const [room, remote] = [textIn(document, "matrix_id"), rowIn(document, "remote")];
      const [domain, channel] = [textIn(remote, "domain"), textIn(remote, "channel")];
      return room === undefined || domain === undefined || channel === undefined ? [] : [{ room, domain, channel }];
    });
  }

  queries(): AsyncIterable<KeptQuery> {
    return this.#each(files.rooms, "pm", (document) => {
      const [room, remote, data] = [textIn(document, "matrix_id"), rowIn(document, "remote"), rowIn(document, "data")];
      const [domain, nick] = [textIn(remote, "domain"), textIn(remote, "channel")];
      const [user, ghost] = [textIn(data, "real_user_id"), textIn(data, "virtual_user_id")];
      if (room === undefined || domain === undefined || nick === undefined) return [];
      return user === undefined || ghost === undefined ? [] : [{ room, domain, nick, user, ghost }];
    });
  }

  users(): AsyncIterable<KeptUser> {
    return this.#each(
      files.users,
      "matrix",
      (document) => {
        const user = textIn(document, "id");
        const configs = rowIn(rowIn(document, "data"), "client_config");
        if (user === undefined) return [];
        return Object.keys(configs ?? {}).map((domain) => settingsOf(user, domain, rowIn(configs, domain)));
      },
      true,
    );
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async *#each<Found>(
    name: string,
    type: string,
    read: (document: NedbDocument) => readonly Found[],
    mayBeNone = false,
  ): AsyncIterable<Found> {
    const content = await readNedb(join(this.directory, name));
    let unreadable = type === "pm" ? 0 : (content?.unreadable ?? 0);
    for (const document of content?.documents.values() ?? []) {
      if (textIn(name === files.rooms ? rowIn(document, "remote") : document, "type") !== type) continue;
      const found = read(document);
      if (found.length === 0 && !mayBeNone) unreadable++;
      yield* found;
    }
    if (unreadable > 0) this.unreadable.set(`a line of ${name}`, (this.unreadable.get(name) ?? 0) + unreadable);
  }
}

/** What somebody set for a network, as both places keep it. */
export function settingsOf(user: string, domain: string, config: NedbDocument | undefined): KeptUser {
  return {
    user,
    domain,
    nick: textIn(config, "nick"),
    username: textIn(config, "username"),
    password: textIn(config, "password"),
  };
}
