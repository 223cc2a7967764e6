import { ContentUri, EventId, RoomId } from "../connector/ids.js";
import type { MatrixClient } from "../matrix/client.js";
import { MediaProxy } from "../media/proxy.js";
import { eventPresence, type RevocationStore } from "../media/revocation.js";
import { loadMediaSecret } from "../media/secret.js";
import { StartError } from "../services/start-error.js";
import type { Store } from "../store/store.js";
import type { MediaProxyParts, RunningMediaProxy } from "./running-media-proxy.js";
import { readTextPage } from "./text-page.js";

/** Starts the media proxy at a public address. */
export async function startMediaProxy(parts: MediaProxyParts, publicUrl: string): Promise<RunningMediaProxy> {
  const { config, store, log, metrics, clients } = parts;
  const { host, port, expire, maxBytes } = config.media;
  const first = (): MatrixClient => {
    const [client] = clients();
    if (!client) throw new Error("No bridge is there to fetch a file.");
    return client;
  };
  const proxy = new MediaProxy({
    client: { downloadMedia: (...request) => first().downloadMedia(...request) },
    secret: await loadMediaSecret(config.dataDirectory),
    publicUrl,
    host,
    port,
    expireMs: expire,
    maxBytes,
    revocations: revocationsIn(store),
    checkEvent: async (room, event, signal) => {
      let unknown = false;
      for (const client of clients()) {
        const presence = await eventPresence(client)(room, event, signal);
        if (presence === "present") return presence;
        unknown ||= presence === "unknown";
      }
      return unknown ? "unknown" : "gone";
    },
    readText: (room, event, signal) => readTextPage(clients(), room, event, signal),
    log,
    onRequest: (status) => metrics.mediaProxyRequest(status),
    onBytes: (bytes) => metrics.mediaBytes("toNetwork", bytes),
  });
  try {
    await proxy.start();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new StartError(
      "portInUse",
      `The media proxy cannot listen on ${host}:${port}: ${message}. Change media.port in the configuration.`,
      { cause: error },
    );
  }
  return {
    mediaLink: (uri, name, room, event) =>
      proxy.link({ uri: ContentUri(uri), name, room: RoomId(room), event: EventId(event) }),
    textLink: (room, event) => proxy.textLink(RoomId(room), EventId(event)),
    avatarLink: (uri) => proxy.avatarLink(ContentUri(uri)),
    revoke: (event) => proxy.revoke(EventId(event)),
    close: () => proxy.close(),
  };
}

function revocationsIn(store: Store): RevocationStore {
  return {
    async isRevoked(event) {
      return (await store.get("SELECT 1 FROM revoked WHERE event = ?", event)) !== undefined;
    },
    async revoke(event) {
      await store.commit([["revoke", event, Date.now()]]);
    },
  };
}
