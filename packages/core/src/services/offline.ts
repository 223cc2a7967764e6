import { join } from "node:path";
import type { Config } from "../config/schema.js";
import { SqliteStore } from "../store/sqlite-store.js";
import { ChannelId, RoomId } from "../connector/ids.js";
import { linkKinds } from "../mapping/links.js";
import { StoreQueue } from "./queue.js";
import type { LinkView, QueueService } from "./services.js";

/** What can be seen and mended while no Trestle runs. */
export interface OfflineServices {
  readonly queue: QueueService;
  /** The links of one bridge, or of all. */
  list(bridge?: string): Promise<readonly LinkView[]>;
  /** Lets go of the database. */
  close(): Promise<void>;
}

interface LinkRow {
  readonly bridge: string;
  readonly room: string;
  readonly channel: string;
  readonly channelName: string;
  readonly kind: number;
}

/** Where the database of a configuration lies. */
export function databaseFile(config: Pick<Config, "dataDirectory">): string {
  return join(config.dataDirectory, "trestle.db");
}

/**
 * Opens the store without a bridge.
 * @throws StoreInUse when a Trestle runs on it
 */
export async function openOfflineServices(config: Config): Promise<OfflineServices> {
  const store = await SqliteStore.open({ file: databaseFile(config) });
  return {
    queue: new StoreQueue(store, Date.now),
    async list(bridge) {
      const rows = await store.all<LinkRow>(
        "SELECT b.name AS bridge, r.room AS room, c.channel AS channel, c.name AS channelName, l.kind AS kind FROM link l JOIN room r ON r.id = l.room JOIN channel c ON c.id = l.channel JOIN bridge b ON b.id = c.bridge ORDER BY 1, 3, 2",
      );
      return rows
        .filter((row) => bridge === undefined || row.bridge === bridge)
        .map((row) => ({
          ...row,
          room: RoomId(row.room),
          channel: ChannelId(row.channel),
          kind: linkKinds[row.kind] ?? "plumbed",
        }));
    },
    close: () => store.close(),
  };
}
