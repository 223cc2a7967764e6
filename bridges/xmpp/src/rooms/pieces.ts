import { randomUUID } from "node:crypto";
import {
  RemoteMessageId,
  type ChannelChanged,
  type ChannelId,
  type Outcome,
  type PictureEffect,
  type RemoteUserId,
  type UserId,
} from "@trestle/core";
import { readMucUser } from "../content/index.js";
import { messageOf } from "../stream/errors.js";
import { Archive } from "./archive.js";
import { Authority } from "./authority.js";
import { BridgeAddress } from "./bridge-address.js";
import { ChatStates } from "./chat-states.js";
import { Configuration } from "./configuration.js";
import { Expulsions } from "./expulsions.js";
import { Ghosts } from "./ghosts.js";
import { RoomInward } from "./inward.js";
import { Members } from "./members.js";
import { SentInvitations } from "./invitations.js";
import { InwardMentions, type MentionsOptions } from "./mentions.js";
import { Messages } from "./messages.js";
import { RoomModeration } from "./moderation.js";
import { nickOf } from "./muc.js";
import { Occupant, type OccupantOptions } from "./occupant.js";
import { RoomOutward } from "./outward.js";
import { setPicture } from "./set-picture.js";
import { OwnAffiliations } from "./own-affiliations.js";
import type { RoomParts } from "./parts.js";
import { Presence } from "./presence.js";
import { ReactionSets } from "./reaction-sets.js";
import { RoomPicture } from "./room-picture.js";
import { RoomRanks } from "./room-ranks.js";
import { RoomSender } from "./room-sender.js";
import { ToldSettings } from "./settings.js";
import { Threads } from "./threads.js";
import { Topic } from "./topic.js";
import { VoiceRequests } from "./voice-requests.js";

/** What a linked room is made of. */
export interface RoomPieces {
  readonly watcher: Occupant;
  readonly address: BridgeAddress;
  readonly ghosts: Ghosts;
  readonly archive: Archive;
  readonly members: Members;
  readonly messages: Messages;
  readonly presence: Presence;
  readonly sender: RoomSender;
  readonly states: ChatStates;
  readonly outward: RoomOutward;
  readonly moderation: RoomModeration;
  readonly setPicture: (effect: PictureEffect) => Promise<Outcome>;
  readonly expulsions: Expulsions;
  readonly voice: VoiceRequests;
  /** What is kept of the room beside where its archive was left. */
  readonly kept: Kept;
}

interface Kept {
  readonly topic: Topic;
  readonly picture: RoomPicture;
  readonly invitations: SentInvitations;
  readonly threads: Threads;
  /** What people of the network reacted with, and what Matrix users did. */
  readonly given: ReactionSets;
  readonly own: ReactionSets;
  readonly settings: ToldSettings;
  readonly ranks: RoomRanks;
  readonly expulsions: Expulsions;
}

type Seeing = Pick<RoomPieces, "watcher" | "address" | "ghosts" | "archive" | "members" | "messages" | "expulsions"> & {
  readonly mentions: MentionsOptions;
  readonly configuration: Configuration;
  readonly ranks: RoomRanks;
  readonly voice: VoiceRequests;
  readonly features: () => Configuration["features"];
  readonly whyOut: () => string | undefined;
  readonly isOwnNick: (nick: string) => boolean;
};

/** Parts that others ask before they are made. */
interface Late {
  presence?: Presence;
  moderation?: RoomModeration;
}

/** Puts a room's parts together. `hasHistory`: the core will say what it has received last. */
export function piecesOf(parts: RoomParts, channel: ChannelId, hasHistory: boolean): RoomPieces {
  const room: string = channel;
  const { network, stream, metrics } = parts;
  const picture: RoomPicture = new RoomPicture({
    ...{ network, stream, metrics, room, channel },
    asker: () => seeing.watcher.jid,
    isPossible: () => seeing.features().card,
  });
  const kept = { ...keptOf(parts, channel), picture };
  // Presence is the last to be made, and the first that all others ask.
  const late: Late = {};
  const seeing = seeingOf(parts, channel, late);
  const acting = actingOf(parts, room, kept, seeing, late);
  const { watcher, address, ghosts, archive, members, messages, configuration, ranks, expulsions, voice } = seeing;
  const { topic, invitations, threads, settings } = kept;
  const whos = { watcher, address, ghosts, archive, members, messages };
  const presence = new Presence({
    ...{ ...whos, parts, room, channel, configuration, ranks, settings, picture, hasHistory },
    inward: new RoomInward({
      ...{ parts, room, channel, members, messages, topic, threads, isOwnNick: seeing.isOwnNick },
      mentions: new InwardMentions(seeing.mentions),
      reactions: kept.given,
    }),
    load: async () => {
      await Promise.all(
        [address, topic, picture, invitations, threads, ghosts, settings, ranks, expulsions].map((each) => each.load()),
      );
    },
    shown: (id, roomsId) => acting.sender.shown(id, roomsId),
  });
  late.presence = presence;
  return { ...whos, ...acting, presence, expulsions, voice, kept: { ...kept, ranks, expulsions } };
}

/** What the bridge does in the room. */
function actingOf(
  parts: RoomParts,
  room: string,
  kept: Omit<Kept, "ranks" | "expulsions">,
  seeing: Seeing,
  late: Late,
): Pick<RoomPieces, "sender" | "states" | "outward" | "moderation" | "setPicture"> {
  const { watcher, address, ghosts, archive, members, messages, mentions, features, whyOut } = seeing;
  const { configuration, ranks, expulsions, voice } = seeing;
  const { topic, picture, invitations, threads, settings } = kept;
  const sender = new RoomSender({
    ...{ parts, room, archive, watcher, whyOut },
    hasArchive: () => features().archive,
    removed: () => late.presence?.removed(),
    voiceless: (speaker, nick) => voice.refused(speaker, nick),
  });
  const rights = { named: address.named, seek: async () => (await late.presence?.seekRights()) === true };
  const shared = { parts, room, watcher, ghosts, messages, features, whyOut, rights };
  const states = new ChatStates(shared);
  const authority = new Authority({ ...shared, shownOf: (userId) => ranks.itemOf({ userId }) });
  const moderation = new RoomModeration({ ...shared, authority, ranks, settings, configuration, members, expulsions });
  late.moderation = moderation;
  const outward = new RoomOutward({
    ...{ ...shared, authority, mentions, reactions: kept.own, threads, topic, invitations, sender, states },
    whyBarred: (user) => expulsions.whyBarred(user),
  });
  const pictures = { ...shared, authority, picture };
  return { sender, states, outward, moderation, setPicture: (effect) => setPicture(pictures, effect) };
}

function keptOf({ network }: RoomParts, channel: ChannelId): Omit<Kept, "picture" | "ranks" | "expulsions"> {
  const room: string = channel;
  return {
    topic: new Topic(network, `topic ${room}`),
    invitations: new SentInvitations(network, channel),
    threads: new Threads(network.storage, `threads ${room}`),
    given: new ReactionSets(network.storage, `reactions ${room} `),
    own: new ReactionSets(network.storage, `own-reactions ${room} `),
    settings: new ToldSettings(network, channel, `settings ${room}`),
  };
}

/** Who is in the room, and what it has shown. */
function seeingOf(parts: RoomParts, channel: ChannelId, late: Late): Seeing {
  const room: string = channel;
  const { network, config, ids, stream, tuning } = parts;
  const whyOut = () => (late.presence ? late.presence.whyOut : `${room} was not entered yet`);
  const archive = new Archive(stream, room);
  const address = new BridgeAddress(parts, room);
  const watcher = bridgeItself(parts, room, address, {
    onRemoved: (stanza) => late.presence?.removed(stanza),
    onShown: (stanza, isEntry) => {
      const [item] = readMucUser(stanza)?.items ?? [];
      if (!item) return;
      address.shown(item.affiliation);
      affiliations.bridgeShown(item);
      if (isEntry) configuration.entered(item);
      void told(voice.shown(watcher.jid, config.nick, item));
    },
  });
  const voice = new VoiceRequests({ parts, room, channel });
  const affiliations = new OwnAffiliations(parts, room, watcher, (userId) => ghosts.addressOf(userId));
  const configuration = new Configuration({ parts, room, watcher });
  const features = () => configuration.features;
  const told = (work: Promise<void> | undefined) =>
    work?.catch((error: unknown) =>
      stream.interrupt(`What a Matrix user is in ${room} could not be told: ${messageOf(error)}`),
    );
  const ghosts = new Ghosts(parts, room, {
    shown: (userId, stanza, isEntry) => {
      const [item] = readMucUser(stanza)?.items ?? [];
      void told(isEntry ? expulsions.entered(userId) : undefined);
      if (!item) return;
      if (isEntry && configuration.entered(item)) void told(late.presence?.tellStanding());
      const occupant = ghosts.find(userId);
      if (occupant) void told(voice.shown(occupant.jid, nickOf(stanza) ?? userId, item));
      void told(ranks.shownOwn(userId, item, isEntry));
    },
    removed: (userId, stanza) => {
      ranks.leftOwn(userId);
      void told(expulsions.removed(userId, stanza));
    },
    renamed: (...names) => void told(network.receive(calledOtherwise(channel, ...names))),
  });
  const isOwnNick = (nick: string) => nick === watcher.nick || ghosts.hasNick(nick);
  const isAsked = (nick: string) => nick === watcher.asking || ghosts.isAsking(nick);
  const accountOf = (id: RemoteUserId, nick: string) => ghosts.accountOf(id, nick);
  const members = new Members({ room, channel, features, isOwnNick, isAsked, accountOf });
  const messages = new Messages({ room, asker: () => watcher.jid, archive, members, ids, features, isOwnNick });
  const regrant = (user: UserId, wish: Parameters<RoomModeration["regrant"]>[1]) =>
    void told(late.moderation?.regrant(user, wish));
  const personal: OwnAffiliations["personal"] = (...shown) => affiliations.personal(...shown);
  const ranks = new RoomRanks({ network, room, channel, members, rules: features, regrant, personal });
  const expulsions = new Expulsions({
    ...{ network, room, channel, members, domain: config.domain, kickedMs: tuning.kickedMs },
    remove: (user) => ghosts.remove(user),
    userOf: (jid, banned) => [...banned, ...ghosts.users].find((user) => ghosts.addressOf(user) === jid),
  });
  const mentions = mentionsOf(room, config.domain, members, ghosts);
  const whos = { watcher, address, ghosts, members, ranks, expulsions, voice };
  return { ...whos, archive, messages, mentions, configuration, features, whyOut, isOwnNick };
}

/** What is told where somebody of ours is called otherwise in the room than they would be. */
function calledOtherwise(channel: ChannelId, name: string, wanted: string, nick: string): ChannelChanged {
  const notice = `${name} is called ${nick} in ${channel}, where ${wanted} is taken or reserved.`;
  return { kind: "channel", id: RemoteMessageId(`nick:${randomUUID()}`), channel, notice };
}

/** Who of the room is meant by a name, and what a Matrix user is called there. */
function mentionsOf(room: string, domain: string, members: Members, ghosts: Ghosts): MentionsOptions {
  return {
    ...{ room, domain, members },
    userWithNick: (nick) => ghosts.userWithNick(nick),
    nickOfUser: (user) => ghosts.find(user)?.nick,
  };
}

function bridgeItself(
  { stream, config, tuning }: RoomParts,
  room: string,
  address: BridgeAddress,
  watched: Pick<OccupantOptions, "onRemoved" | "onShown">,
): Occupant {
  return new Occupant({
    stream,
    room,
    get jid() {
      return address.jid;
    },
    nick: (attempt) => `${config.nick}${attempt === 0 ? "" : `[m${attempt === 1 ? "" : attempt}]`}`,
    joinTimeoutMs: tuning.joinTimeoutMs,
    ...watched,
  });
}
