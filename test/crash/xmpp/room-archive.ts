import type { XmppPeople } from "./people.js";
import { ArchiveReader } from "./archive-reader.js";
import { doesSomething, readRoomMessage, type RoomMessage } from "./room-message.js";

/** A message as an archive keeps it. */
export interface Archived extends RoomMessage {
  readonly id: string;
  /** When the server took it, in milliseconds since 1970. */
  readonly at: number;
}

/** All that was said and done in one place on XMPP. */
export interface PlaceArchive {
  /** What people and the bridge said and did, each in the order of the archive. */
  readonly messages: readonly Archived[];
  /** Reads what is new; resolves to how much that was. */
  read(): Promise<number>;
}

/** A room's archive. */
export class RoomArchive implements PlaceArchive {
  readonly messages: Archived[] = [];
  readonly #reader: ArchiveReader;

  constructor(
    people: XmppPeople,
    readonly room: string,
  ) {
    this.#reader = new ArchiveReader(
      (queryid, query, collect) => people.ask(room, queryid, query, collect),
      (message, id, at) => {
        const said = readRoomMessage(message, id);
        if (doesSomething(said)) this.messages.push({ ...said, id, at });
      },
    );
  }

  async read(): Promise<number> {
    const before = this.messages.length;
    await this.#reader.read();
    return this.messages.length - before;
  }
}
