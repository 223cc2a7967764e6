import type { NetworkHandlers } from "../connector/handlers.js";
import type { Journal } from "../delivery/journal.js";
import { Links } from "../mapping/links.js";
import { Members } from "../mapping/members.js";
import { Messages } from "../mapping/messages.js";
import { MatrixClient } from "../matrix/client.js";
import type { MatrixExchange } from "../matrix/http.js";
import type { BridgeParts } from "./bridge-parts.js";
import { Deadlines } from "./deadline.js";
import type { BridgeRuntime } from "./runtime.js";

type OnExchange = (exchange: MatrixExchange) => void;

/**
 * What the parts of one bridge share.
 *
 * @param handlers what the connector can do, once it is connected
 */
export function makeRuntime(
  parts: BridgeParts,
  journal: Journal,
  onExchange: OnExchange,
  handlers: () => NetworkHandlers | undefined,
): BridgeRuntime {
  const {
    key,
    config,
    global,
    registration,
    connector,
    store,
    clock,
    metrics,
    rooms,
    mediaLink,
    textLink,
    avatarLink,
    revokeMedia,
  } = parts;
  return {
    key,
    name: config.name,
    network: connector.network,
    networkName: connector.displayName ?? connector.network,
    bot: registration.bot,
    serverName: registration.serverName,
    ghostPrefix: registration.ghostPrefix,
    isOwn: (userId) => registration.isOwnUser(userId),
    config,
    global,
    log: parts.log.child({ bridge: config.name }),
    clock,
    store,
    journal,
    client: makeClient(parts, onExchange),
    metrics,
    rooms,
    links: new Links(store, key, clock),
    messages: new Messages(store),
    members: new Members(store),
    mediaLink,
    textLink,
    avatarLink,
    revokeMedia,
    deadlines: new Deadlines(clock, global.delivery.handlerTimeout),
    get handlers() {
      const connected = handlers();
      if (!connected) throw new Error("The connector is not connected yet.");
      return connected;
    },
  };
}

function makeClient({ global, registration, metrics }: BridgeParts, onExchange: OnExchange): MatrixClient {
  return new MatrixClient({
    url: global.homeserver.url,
    asToken: registration.asToken,
    connections: global.homeserver.connections,
    requestTimeoutMs: global.homeserver.requestTimeout,
    maxRetryAfterMs: global.delivery.retryMax,
    onExchange: (exchange) => {
      metrics.exchange(exchange);
      onExchange(exchange);
    },
  });
}
