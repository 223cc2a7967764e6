import type { ConnectorStorage } from "../connector/connector.js";
import type { Secrets } from "../store/secrets.js";
import type { Store } from "../store/store.js";

const largestValue = 64 * 1024;

/** A connector's own persistent map. */
export function connectorStorage(store: Store, bridge: number, secrets: Secrets): ConnectorStorage {
  const context = (key: string): string => `storage ${bridge} ${key}`;
  return {
    async get(key) {
      const row = await store.get<{ value: Uint8Array }>(
        "SELECT value FROM storage WHERE bridge = ? AND key = ?",
        bridge,
        key,
      );
      return row && secrets.open(row.value, context(key));
    },
    async set(key, value) {
      if (Buffer.byteLength(value) > largestValue) throw new RangeError(`The value of ${key} has more than 64 KiB.`);
      await store.commit([["setStorage", bridge, key, secrets.seal(value, context(key))]]);
    },
    async delete(key) {
      await store.commit([["dropStorage", bridge, key]]);
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
