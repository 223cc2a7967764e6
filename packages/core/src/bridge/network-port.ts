import type { BridgeStatus } from "../connector/bridge-status.js";
import type { ConnectionStatus, ConnectorStorage, Network } from "../connector/connector.js";
import type { LoginId } from "../connector/ids.js";
import { toMatrix, toNetwork } from "../delivery/entry.js";
import type { Logins } from "../mapping/logins.js";
import type { BridgeRuntime } from "./runtime.js";
import type { Ghosts } from "./ghosts.js";
import { ghostsIn } from "./ghosts-present.js";
import type { Linker } from "./linker.js";
import type { LinkRequests } from "./link-requests.js";
import { openRoom } from "./open-room.js";
import { lookUpUser } from "./look-up-user.js";
import type { Permissions } from "./permissions.js";
import type { Pictures } from "./pictures.js";
import type { PrivateNotices } from "./private-notices.js";
import type { Receiver } from "./receive.js";
import { lookAtRoom } from "./room-view.js";
import type { EphemeralToMatrix } from "./ephemeral.js";

export interface NetworkPortParts {
  readonly runtime: BridgeRuntime;
  readonly permissions: Permissions;
  readonly receiver: Receiver;
  readonly ephemeral: EphemeralToMatrix;
  readonly ghosts: Ghosts;
  readonly storage: ConnectorStorage;
  readonly logins: Logins;
  readonly notices: PrivateNotices;
  readonly linker: Linker;
  readonly linkRequests: LinkRequests;
  readonly connections: Map<string, ConnectionStatus>;
  /** The bridge has ended: what its connector says of connections is of no more interest. */
  readonly stopped: AbortSignal;
  readonly dataDirectory: string;
  readonly spacesChanged: () => void;
  readonly pictures: Pictures;
  readonly status: () => Promise<BridgeStatus>;
  /** A connection is up (again): ask what was missed. */
  readonly onConnected: () => void;
}

const connectionsShown = 10_000;

/** What a connector gets of the core. */
export function networkPort(parts: NetworkPortParts): Network {
  const { runtime, connections } = parts;
  return {
    bridge: {
      name: runtime.name,
      bot: runtime.bot,
      serverName: runtime.serverName,
      allMembers: runtime.config.membership === "full",
      dataDirectory: parts.dataDirectory,
    },
    log: runtime.log,
    storage: parts.storage,
    receive: (event) => parts.receiver.receive(event),
    receiveAll: (events) => parts.receiver.receiveAll(events),
    signal: (event) => parts.ephemeral.take(event),
    report(status) {
      if (parts.stopped.aborted) return;
      const before = connections.get(status.connection);
      if (status.state === "closed") connections.delete(status.connection);
      else if (before || connections.size < connectionsShown) connections.set(status.connection, status);
      runtime.metrics.connection(runtime.name, status);
      if (status.state !== "connected" || before?.state === "connected") return;
      runtime.journal.flow(toNetwork)?.wake();
      runtime.journal.flow(toMatrix)?.wake("source");
      parts.onConnected();
    },
    status: parts.status,
    async links() {
      const links = await runtime.links.all();
      return links.map(({ channel, room, kind }) => ({ channel, room, kind }));
    },
    requestLink: (request) => parts.linkRequests.request(request),
    consented: (consent) => parts.linkRequests.consented(consent),
    openRoom: (request) => openRoom(runtime, parts.linker, request),
    lookUpUser: (user) => lookUpUser(runtime, parts.permissions, parts.ghosts, user),
    lookAtRoom: (room) => lookAtRoom(runtime, parts.permissions, room),
    removeLinks: (channel, by) => parts.linkRequests.remove(channel, by),
    moveChannel: (from, to) => parts.linker.move(from, to),
    spacesChanged: parts.spacesChanged,
    ghostsIn: (channel) => ghostsIn(runtime, channel),
    async openMedia(uri) {
      const media = await runtime.client.downloadMedia(uri);
      if (!media.ok) throw new Error(`The file ${uri} cannot be read: ${media.failure.message}`);
      const { stream, contentType, size } = media.body;
      return { stream, mimeType: contentType, ...(size !== undefined && { size }) };
    },
    textLink: (room, event) => runtime.textLink(room, event),
    picture: (picture) => parts.pictures.uriOf(picture),
    avatarLink: (avatar) => runtime.avatarLink(avatar),
    logins: () => parts.logins.all(),
    renewLogin: (id, secret) => parts.logins.renew(id, secret),
    endLogin: (id, why) => endLogin(parts, id, why),
    metrics: runtime.metrics.ofConnector(runtime.network, runtime.name),
  };
}

async function endLogin({ runtime, logins, notices }: NetworkPortParts, id: LoginId, why: string): Promise<void> {
  const login = await logins.find(id);
  if (!login) return;
  const { user, account } = login;
  await logins.remove(login);
  runtime.log.error({ user, account: account.name, reason: why }, "A login has ended");
  const text = `You are no longer signed in as ${account.name}: ${why}`;
  await notices.tell(user, `login ended ${runtime.clock.now()}`, text);
}
