import type { ChannelId, RemoteUserId } from "@trestle/core";
import { Archive } from "./archive.js";
import { ChatStates } from "./chat-states.js";
import { Ghosts } from "./ghosts.js";
import { RoomInward } from "./inward.js";
import { Members } from "./members.js";
import { InwardMentions, type MentionsOptions } from "./mentions.js";
import { Messages } from "./messages.js";
import { Occupant } from "./occupant.js";
import { RoomOutward } from "./outward.js";
import type { RoomParts } from "./parts.js";
import { Presence } from "./presence.js";
import { ReactionSets } from "./reaction-sets.js";
import { RoomSender } from "./room-sender.js";
import { Threads } from "./threads.js";
import { Topic } from "./topic.js";

/** What a linked room is made of. */
export interface RoomPieces {
  readonly watcher: Occupant;
  readonly ghosts: Ghosts;
  readonly archive: Archive;
  readonly members: Members;
  readonly messages: Messages;
  readonly presence: Presence;
  readonly sender: RoomSender;
  readonly states: ChatStates;
  readonly outward: RoomOutward;
  /** What is kept of the room beside where its archive was left. */
  readonly kept: Kept;
}

interface Kept {
  readonly topic: Topic;
  readonly threads: Threads;
  /** What people of the network reacted with, and what Matrix users did. */
  readonly given: ReactionSets;
  readonly own: ReactionSets;
}

type Seeing = Pick<RoomPieces, "watcher" | "ghosts" | "archive" | "members" | "messages"> & {
  readonly mentions: MentionsOptions;
  readonly features: () => Presence["features"];
  readonly whyOut: () => string | undefined;
  readonly isOwnNick: (nick: string) => boolean;
};

/** Puts a room's parts together. `hasHistory`: the core will say what it has received last. */
export function piecesOf(parts: RoomParts, channel: ChannelId, hasHistory: boolean): RoomPieces {
  const room: string = channel;
  const kept = keptOf(parts, room);
  // Presence is the last to be made, and the first that all others ask.
  const late: { presence?: Presence } = {};
  const presenceOf = (): Presence => {
    if (!late.presence) throw new Error(`${room} was used before it was put together`);
    return late.presence;
  };
  const seeing = seeingOf(parts, channel, presenceOf);
  const { watcher, ghosts, archive, members, messages, mentions, features, whyOut, isOwnNick } = seeing;
  const sender = new RoomSender({
    parts,
    room,
    archive,
    watcher,
    whyOut,
    hasArchive: () => features().archive,
    removed: () => presenceOf().removed(),
  });
  const shared = { parts, room, watcher, ghosts, messages, features, whyOut };
  const states = new ChatStates(shared);
  const { topic, threads } = kept;
  const outward = new RoomOutward({ ...shared, mentions, reactions: kept.own, threads, topic, sender, states });
  const presence = new Presence({
    parts,
    room,
    channel,
    watcher,
    ghosts,
    archive,
    members,
    messages,
    inward: new RoomInward({
      parts,
      room,
      channel,
      members,
      messages,
      topic,
      threads,
      isOwnNick,
      mentions: new InwardMentions(mentions),
      reactions: kept.given,
    }),
    load: async () => {
      await Promise.all([topic.load(), threads.load(), ghosts.load()]);
    },
    shown: (id, roomsId) => sender.shown(id, roomsId),
    hasHistory,
  });
  late.presence = presence;
  return { watcher, ghosts, archive, members, messages, presence, sender, states, outward, kept };
}

function keptOf({ network }: RoomParts, room: string): Kept {
  return {
    topic: new Topic(network, `topic ${room}`),
    threads: new Threads(network.storage, `threads ${room}`),
    given: new ReactionSets(network.storage, `reactions ${room} `),
    own: new ReactionSets(network.storage, `own-reactions ${room} `),
  };
}

/** Who is in the room, and what it has shown. */
function seeingOf(parts: RoomParts, channel: ChannelId, presence: () => Presence): Seeing {
  const room: string = channel;
  const features = () => presence().features;
  const whyOut = () => presence().whyOut;
  const archive = new Archive(parts.stream, room);
  const ghosts = new Ghosts(parts, room);
  const watcher = bridgeItself(parts, room, () => presence().removed());
  const isOwnNick = (nick: string) => nick === watcher.nick || ghosts.hasNick(nick);
  const accountOf = (id: RemoteUserId, nick: string) => ghosts.accountOf(id, nick);
  const members = new Members({ room, channel, features, isOwnNick, accountOf });
  const messages = new Messages({ room, asker: watcher.jid, archive, members, ids: parts.ids, features, isOwnNick });
  const mentions: MentionsOptions = {
    room,
    domain: parts.config.domain,
    members,
    userWithNick: (nick) => ghosts.userWithNick(nick),
    nickOfUser: (user) => ghosts.find(user)?.nick,
  };
  return { watcher, ghosts, archive, members, messages, mentions, features, whyOut, isOwnNick };
}

function bridgeItself({ stream, config, tuning }: RoomParts, room: string, onRemoved: () => void): Occupant {
  return new Occupant({
    stream,
    room,
    jid: `${config.domain}/bridge`,
    nick: (attempt) => `${config.nick}${attempt === 0 ? "" : `[m${attempt === 1 ? "" : attempt}]`}`,
    joinTimeoutMs: tuning.joinTimeoutMs,
    onRemoved,
  });
}
