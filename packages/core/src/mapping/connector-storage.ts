import type { ConnectorStorage } from "../connector/connector.js";
import type { Secrets } from "../store/secrets.js";
import type { Store } from "../store/store.js";
import type { Write } from "../store/writes.js";

const largestValue = 64 * 1024;

/** A connector's own persistent map, and its changes as writes that go with others in one commit. */
export interface StorageOfConnector extends ConnectorStorage {
  /** `null` deletes. @throws RangeError for a value that is too long */
  readonly writes: (entries: Readonly<Record<string, string | null>>) => readonly Write[];
}

export function connectorStorage(store: Store, bridge: number, secrets: Secrets): StorageOfConnector {
  const context = (key: string): string => `storage ${bridge} ${key}`;
  const write = (key: string, value: string | null): Write => {
    if (value === null) return ["dropStorage", bridge, key];
    if (Buffer.byteLength(value) > largestValue) throw new RangeError(`The value of ${key} has more than 64 KiB.`);
    return ["setStorage", bridge, key, secrets.seal(value, context(key))];
  };
  return {
    writes: (entries) => Object.entries(entries).map(([key, value]) => write(key, value)),
    async get(key) {
      const row = await store.get<{ value: Uint8Array }>(
        "SELECT value FROM storage WHERE bridge = ? AND key = ?",
        bridge,
        key,
      );
      return row && secrets.open(row.value, context(key));
    },
    async set(key, value) {
      await store.commit([write(key, value)]);
    },
    async delete(key) {
      await store.commit([write(key, null)]);
    },
    async keys(prefix) {
      const rows = await store.all<{ key: string }>(
        "SELECT key FROM storage WHERE bridge = ? AND substr(key, 1, length(?)) = ? ORDER BY key",
        bridge,
        prefix,
        prefix,
      );
      return rows.map((row) => row.key);
    },
  };
}
