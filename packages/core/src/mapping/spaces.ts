import { RoomId } from "../connector/ids.js";
import type { Store } from "../store/store.js";

/** A space of the network, as its Matrix space last was. */
export interface Space {
  /** The store's own number. */
  readonly key: number;
  readonly id: string;
  /** `undefined`: none is known; one may have been made just before the process ended. */
  readonly room: RoomId | undefined;
  readonly name: string;
  readonly topic: string;
  /** The id of the picture. */
  readonly picture: string;
}

/** A room that is in a space, or is being put into it. */
export interface SpaceChild {
  readonly space: Space;
  readonly room: RoomId;
  readonly done: boolean;
}

interface SpaceRow {
  readonly id: number;
  readonly space: string;
  readonly room: string | null;
  readonly name: string;
  readonly topic: string;
  readonly picture: string;
}

/** The Matrix spaces of one bridge, and what is in them. */
export class Spaces {
  constructor(
    readonly store: Store,
    readonly bridge: number,
  ) {}

  async find(id: string): Promise<Space | undefined> {
    const row = await this.store.get<SpaceRow>("SELECT * FROM space WHERE bridge = ? AND space = ?", this.bridge, id);
    return row && toSpace(row);
  }

  /** Remembers a space before its Matrix space is made. */
  async add(id: string): Promise<Space> {
    await this.store.commit([["addSpace", this.bridge, id]]);
    const made = await this.find(id);
    if (!made) throw new Error(`The space ${id} was written but cannot be read.`);
    return made;
  }

  async children(): Promise<readonly SpaceChild[]> {
    const rows = await this.store.all<SpaceRow & { readonly child: string; readonly done: number }>(
      "SELECT space.*, space_room.room AS child, space_room.done AS done FROM space_room JOIN space ON space.id = space_room.space WHERE space.bridge = ? ORDER BY space.id, space_room.room",
      this.bridge,
    );
    return rows.map((row) => ({ space: toSpace(row), room: RoomId(row.child), done: row.done === 1 }));
  }
}

function toSpace({ id, space, room, name, topic, picture }: SpaceRow): Space {
  return { key: id, id: space, room: room === null ? undefined : RoomId(room), name, topic, picture };
}
