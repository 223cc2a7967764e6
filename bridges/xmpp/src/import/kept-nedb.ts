import { join } from "node:path";
import { type NedbDocument, readNedb, rowIn, textIn } from "@trestle/core";
import { keptRoom, type Kept, type KeptAccount, type KeptConversation, type KeptGhost, type KeptRoom } from "./kept.js";

const files = { rooms: "room-store.db", users: "user-store.db" } as const;

/** The NeDB files of matrix-bifrost, in the directory of its `datastore.connectionString`. */
export class KeptInNedb implements Kept {
  readonly unreadable = new Map<string, number>();
  readonly #read = new Map<string, NedbDocument[]>();

  private constructor(readonly directory: string) {}

  /** @throws Error where the files are not there */
  static async open(directory: string): Promise<KeptInNedb> {
    if (!(await readNedb(join(directory, files.rooms))))
      throw new Error(
        `There is no ${files.rooms} in ${directory}: give the directory that datastore.connectionString names in the configuration of matrix-bifrost (without nedb://), or the URL of its PostgreSQL database (postgres://user@host/database).`,
      );
    return new KeptInNedb(directory);
  }

  async *rooms(): AsyncIterable<KeptRoom> {
    for (const document of await this.#documents(files.rooms)) {
      if (typeOf(document) !== "group") continue;
      const room = keptRoom(textIn(document, "matrix_id"), rowIn(document, "remote"));
      if (room) yield room;
      else this.#unreadable(files.rooms);
    }
  }

  async *conversations(): AsyncIterable<KeptConversation> {
    for (const document of await this.#documents(files.rooms)) {
      if (typeOf(document) !== "im") continue;
      const remote = rowIn(document, "remote");
      const [room, protocol] = [textIn(document, "matrix_id"), textIn(remote, "protocol_id")];
      const [user, recipient] = [textIn(remote, "matrixUser"), textIn(remote, "recipient")];
      if (room === undefined || protocol === undefined || user === undefined || recipient === undefined)
        this.#unreadable(files.rooms);
      else yield { room, protocol, user, recipient };
    }
  }

  async *ghosts(): AsyncIterable<KeptGhost> {
    for (const { user, data, name } of await this.#people()) {
      const [protocol, sender] = [protocolOf(data), textIn(data, "username")];
      if (textIn(data, "type") !== "ghost" && data["isRemoteUser"] !== true) continue;
      if (protocol === undefined || sender === undefined) this.#unreadable(files.users);
      else yield { user, protocol, sender, name };
    }
  }

  async *accounts(): AsyncIterable<KeptAccount> {
    for (const { user, data } of await this.#people()) {
      const [protocol, name] = [protocolOf(data), textIn(data, "username")];
      if (textIn(data, "type") === "account" && protocol !== undefined && name !== undefined)
        yield { user, protocol, name };
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Those whom a document of type `union` joins: a Matrix user and somebody on a network. */
  async #people(): Promise<{ user: string; data: NedbDocument; name: string | undefined }[]> {
    const documents = await this.#documents(files.users);
    const byId = (type: string) =>
      new Map(documents.flatMap((each) => (each["type"] === type ? [[textIn(each, "id"), each] as const] : [])));
    const [remotes, matrix] = [byId("remote"), byId("matrix")];
    return documents.flatMap((document) => {
      if (document["type"] !== "union") return [];
      const link = rowIn(document, "link");
      const user = textIn(link, "matrix");
      const data = rowIn(remotes.get(textIn(link, "remote")), "data");
      if (user === undefined || data === undefined) return [];
      return [{ user, data, name: textIn(rowIn(matrix.get(user), "data"), "displayname") }];
    });
  }

  async #documents(name: string): Promise<NedbDocument[]> {
    const read = this.#read.get(name);
    if (read) return read;
    const content = await readNedb(join(this.directory, name));
    const documents = [...(content?.documents.values() ?? [])];
    this.#read.set(name, documents);
    if (content && content.unreadable > 0) this.#unreadable(name, content.unreadable);
    return documents;
  }

  #unreadable(name: string, count = 1): void {
    const what = `a line of ${name}`;
    this.unreadable.set(what, (this.unreadable.get(what) ?? 0) + count);
  }
}

function typeOf(document: NedbDocument): string | undefined {
  return textIn(rowIn(rowIn(document, "matrix"), "extras"), "type");
}

/** Old versions wrote it another way. */
function protocolOf(data: NedbDocument): string | undefined {
  return textIn(data, "protocol_id") ?? textIn(data, "protocolId");
}
