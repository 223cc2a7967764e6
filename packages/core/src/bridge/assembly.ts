import { Commands } from "../commands/commands.js";
import { RoomId } from "../connector/ids.js";
import { connectorStorage, type StorageOfConnector } from "../mapping/connector-storage.js";
import { BegunLogins } from "../mapping/begun-logins.js";
import { Logins } from "../mapping/logins.js";
import { AwaitedRooms } from "./awaited-rooms.js";
import type { BridgeParts } from "./bridge-parts.js";
import { CatchUp } from "./catch-up.js";
import { DirectRooms } from "./direct-rooms.js";
import { EncryptedRooms } from "./encrypted-rooms.js";
import { EphemeralToMatrix, EphemeralToNetwork } from "./ephemeral.js";
import { Ghosts } from "./ghosts.js";
import { Greeting } from "./greeting.js";
import { HomeserverPing } from "./homeserver-health.js";
import { HomeserverWatch } from "./homeserver-watch.js";
import { Intake } from "./intake.js";
import { Linker } from "./linker.js";
import { LoginAnswers } from "./login-answers.js";
import { Memberships } from "./memberships.js";
import { MissedEvents } from "./missed-events.js";
import { Permissions } from "./permissions.js";
import { Pictures } from "./pictures.js";
import { Absences } from "./policy/absences.js";
import { PolicyLists } from "./policy/policy-lists.js";
import { Withheld } from "./policy/withhold.js";
import { PortalRooms } from "./portal-rooms.js";
import { Portals } from "./portals.js";
import { PrivateNotices } from "./private-notices.js";
import { Receiver } from "./receive.js";
import { RoomEvents } from "./room-events.js";
import { RoomUpgrades } from "./room-upgrades.js";
import type { BridgeRuntime } from "./runtime.js";
import { SpaceKeeper } from "./spaces/space-keeper.js";
import { ToMatrix } from "./to-matrix/deliver.js";
import type { MatrixSenderParts } from "./to-matrix/send.js";
import { MatrixMedia } from "./to-matrix/media.js";
import { Puppets } from "./to-matrix/puppets.js";
import { Authors } from "./to-network/authors.js";
import { ToNetwork } from "./to-network/deliver.js";
import { Undelivered } from "./undelivered.js";

/** What parts ask of the bridge they are in. */
export interface AssemblyHooks extends Pick<MatrixSenderParts, "beforeWriting"> {
  /** A room's events are complete again. */
  readonly noLongerAwaited: (room: RoomId) => void;
  /** The homeserver answers again; `surely`: it was away. */
  readonly homeserverBack: (surely: boolean) => void;
}

/** The parts of a bridge, each made once and given to those that need it. */
export type Assembly = ReturnType<typeof assemble>;

export function assemble(runtime: BridgeRuntime, parts: BridgeParts, hooks: AssemblyHooks) {
  const shared = makeShared(runtime, parts, hooks);
  const events = makeRoomSide(runtime, parts, shared, hooks);
  const greeting = new Greeting({
    runtime,
    botLocalpart: parts.registration.senderLocalpart,
    linker: shared.linker,
    ping: shared.ping,
    missed: events.missed,
    policies: shared.policies,
  });
  return { ...shared, ...events, greeting };
}

/** Whom and what both directions know. */
function makeShared(runtime: BridgeRuntime, parts: BridgeParts, { beforeWriting }: AssemblyHooks) {
  const { key, store, secrets, clock, registration, global } = parts;
  const policies = new PolicyLists(runtime);
  const permissions = new Permissions(global.permissions, policies.rules);
  const media = new MatrixMedia(runtime);
  const memberships = new Memberships(runtime);
  const ghosts = new Ghosts(runtime, (avatar, asUser) => media.uploadAvatar(avatar, asUser));
  const logins = new Logins(store, key, secrets, clock);
  const storage: StorageOfConnector = connectorStorage(store, key, secrets);
  const linker = new Linker(runtime, permissions, memberships);
  const absences = new Absences(runtime, permissions, logins);
  policies.onChange = () => absences.sweep();
  const puppets = Puppets.of(runtime, logins);
  const notices = new PrivateNotices(runtime);
  const portalRooms = new PortalRooms(runtime, linker);
  const unlink = async (room: RoomId, channelKey: number): Promise<void> => {
    const links = await runtime.links.ofRoom(room);
    const link = links.find((each) => each.channelKey === channelKey);
    if (link) await linker.disconnect(link);
  };
  return {
    policies,
    absences,
    permissions,
    memberships,
    ghosts,
    logins,
    storage,
    linker,
    puppets,
    notices,
    pictures: new Pictures(runtime),
    spaces: new SpaceKeeper({ runtime, upload: (picture, asUser) => media.uploadAvatar(picture, asUser) }),
    encrypted: new EncryptedRooms(runtime, notices),
    authors: new Authors(runtime, logins),
    receiver: new Receiver(runtime, storage),
    catchUp: new CatchUp(runtime),
    undelivered: new Undelivered(runtime),
    typing: new EphemeralToMatrix(runtime, ghosts),
    portalRooms,
    thirdParty: new Portals(runtime, ghosts, portalRooms, registration.aliasPrefix),
    ping: new HomeserverPing(runtime.client, registration, clock, runtime.log),
    toMatrix: new ToMatrix({
      runtime,
      ghosts,
      memberships,
      media,
      puppets,
      userOf: (remote) => {
        const user = logins.userOf(remote);
        return user !== undefined && permissions.bans(user) ? undefined : user;
      },
      unlink,
      beforeWriting,
    }),
  };
}

type Shared = ReturnType<typeof makeShared>;

/** What comes from the homeserver, from its arrival on. */
function makeRoomSide(runtime: BridgeRuntime, parts: BridgeParts, shared: Shared, hooks: AssemblyHooks) {
  const { permissions, memberships, ghosts, logins, linker, puppets, encrypted, authors, pictures } = shared;
  const awaited = new AwaitedRooms(runtime, hooks.noLongerAwaited);
  const missed: MissedEvents = new MissedEvents(runtime, awaited, (events, straight) => intake.take(events, straight));
  const commands = new Commands({
    runtime,
    permissions,
    linker,
    logins,
    begun: new BegunLogins(parts.store, parts.key),
    authors,
    sender: shared.toMatrix.sender,
    services: parts.services,
  });
  const directRooms = new DirectRooms(
    runtime,
    shared.receiver,
    missed,
    ghosts,
    memberships,
    linker,
    encrypted,
    puppets,
  );
  const isOwnAlias = (alias: string): boolean => parts.registration.isOwnAlias(alias);
  const upgrades = new RoomUpgrades(runtime, memberships, awaited, missed, isOwnAlias);
  const roomEvents = new RoomEvents({ ...shared, runtime, commands, upgrades, directRooms, missed });
  const answers = new LoginAnswers(
    runtime,
    (event) => commands.awaitsAnswer(event),
    (entry, event) => roomEvents.handle(entry, event),
  );
  const ephemeral = new EphemeralToNetwork(runtime, authors, permissions);
  const intake = new Intake(runtime, awaited, missed, answers, puppets, shared.policies, (events) =>
    ephemeral.take(events),
  );
  const watch = new HomeserverWatch({
    restarted: (why, surely) => {
      missed.suspect(why, surely);
      shared.policies.readAgain();
    },
    back: hooks.homeserverBack,
  });
  const toNetwork = new ToNetwork({
    runtime,
    authors,
    permissions,
    withheld: new Withheld(runtime, shared.absences, permissions),
    ghosts,
    memberships,
    pictures,
    onEncrypted: (room, sender) => encrypted.explain(room, sender),
    leftConversation: (link) => directRooms.left(link),
  });
  return { awaited, missed, directRooms, upgrades, commands, roomEvents, answers, intake, watch, toNetwork };
}
