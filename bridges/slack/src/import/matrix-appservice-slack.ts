import type { Importer, ImportRecord } from "@trestle/core";
import { reactionKeyOf } from "../emoji/index.js";
import { channelIdOf } from "../ids.js";
import { beginningOf } from "../link/gaps/ledger.js";
import { compareTs } from "../link/index.js";
import { remoteUserOf } from "../people/remote-user.js";
import { KeptInNedb } from "./kept-nedb.js";
import { KeptInPostgres } from "./kept-postgres.js";
import type { Kept, KeptGhost, KeptReaction, KeptRoom, KeptTeam } from "./kept.js";

/** Takes over from matrix-appservice-slack. */
export const matrixAppserviceSlack: Importer = {
  description:
    "matrix-appservice-slack: the URL of its PostgreSQL database (postgres://user@host/database; the password may come in PGPASSWORD), or the directory of its NeDB files",
  async *read(source) {
    const kept = /^postgres(?:ql)?:\/\//i.test(source)
      ? await KeptInPostgres.open(source)
      : await KeptInNedb.open(source);
    try {
      yield* new Translation(kept).records();
    } finally {
      await kept.close();
    }
  },
};

const tsPattern = /^\d{1,12}\.\d{1,9}$/;

/** Says in the ids of this bridge what the other one kept. */
class Translation {
  readonly #teams = new Map<string, KeptTeam>();
  /** The workspace of each link, by its room and channel. */
  readonly #links = new Map<string, string>();
  readonly #ghosts = new Map<string, string>();
  /** The newest message of each channel. */
  readonly #newest = new Map<string, string>();

  constructor(readonly kept: Kept) {}

  async *records(): AsyncIterable<ImportRecord> {
    for await (const team of this.kept.teams()) this.#teams.set(team.id, team);
    for await (const room of this.kept.rooms()) yield this.#link(room);
    for (const team of new Set(this.#links.values()))
      yield { kind: "toDo", reason: "install the bridge's app in the workspace", subject: this.#nameOf(team) };
    for await (const ghost of this.kept.ghosts()) yield this.#ghost(ghost);
    yield* this.#events();
    for await (const reaction of this.kept.reactions()) yield this.#reaction(reaction);
    for (const [channel, ts] of this.#newest) yield { kind: "value", ...beginningOf(channel, ts) };
    for await (const { user, team } of this.kept.accounts()) {
      const subject = team === undefined ? user : `${user} (${this.#nameOf(team)})`;
      yield { kind: "toDo", reason: "has to sign in to Slack again, with the command login", subject };
    }
    for (const [what, count] of this.kept.unreadable)
      yield { kind: "leftOut", reason: `${what} cannot be read`, subject: `${count} of them` };
  }

  #link({ room, inbound, channel, channelName, owner, type, ...rest }: KeptRoom): ImportRecord {
    const subject = `${room} (${channelName ?? channel ?? inbound})`;
    const team = rest.team ?? this.#teamWith(rest.botToken);
    const leftOut = (reason: string): ImportRecord => ({ kind: "leftOut", reason, subject });
    if (owner !== undefined && (type === "im" || type === "mpim"))
      return leftOut("the link is a private conversation; a new room is made for it when its owner has signed in");
    if (channel === undefined || team === undefined)
      return leftOut("the link was made by webhooks alone: link the room again, or set up mode webhook for it");
    this.#links.set(`${room} ${channel}`, team);
    const name = channelName ?? channel;
    const shown = type === "im" || type === "mpim" || name.startsWith("#") ? name : `#${name}`;
    return { kind: "link", room, channel: channelIdOf({ team, channel }), channelName: shown };
  }

  #ghost({ user, name, avatarHash, ...rest }: KeptGhost): ImportRecord {
    const { slackId, team } = this.#identityOf(user, rest.slackId, rest.team);
    if (slackId === undefined || team === undefined)
      return { kind: "leftOut", reason: "it is not known whose ghost it is", subject: user };
    this.#ghosts.set(`${team} ${slackId}`, user);
    const kind = slackId.startsWith("B") ? "bot" : "user";
    return {
      kind: "ghost",
      remote: remoteUserOf({ kind, team, id: slackId }),
      user,
      ...(name !== undefined && { name }),
      ...(avatarHash !== undefined && { avatar: avatarHash }),
    };
  }

  async *#events(): AsyncIterable<ImportRecord> {
    for await (const { room, event, channel, ts } of this.kept.events()) {
      const team = this.#links.get(`${room} ${channel}`);
      if (team === undefined || !tsPattern.test(ts)) {
        const reason = team === undefined ? "the message is of a link that is no more" : "the message has no valid ts";
        yield { kind: "leftOut", reason, subject: `${room} ${event}` };
        continue;
      }
      const id = channelIdOf({ team, channel });
      const before = this.#newest.get(id);
      if (before === undefined || compareTs(ts, before) > 0) this.#newest.set(id, ts);
      yield { kind: "message", channel: id, remote: ts, room, event };
    }
  }

  #reaction({ room, event, channel, ts, slackUser, name }: KeptReaction): ImportRecord {
    const subject = `${room} ${event}`;
    const team = this.#links.get(`${room} ${channel}`);
    if (team === undefined) return { kind: "leftOut", reason: "the reaction is of a link that is no more", subject };
    const sender = this.#ghosts.get(`${team} ${slackUser}`);
    // Reactions from Matrix were made by the bot, and kept as its own.
    const isFromMatrix = slackUser === this.#teams.get(team)?.botUser;
    if (sender === undefined && !isFromMatrix)
      return { kind: "leftOut", reason: "it is not known whose reaction it is", subject };
    return {
      kind: "reaction",
      channel: channelIdOf({ team, channel }),
      remote: ts,
      room,
      event,
      key: reactionKeyOf(name),
      ...(sender !== undefined && !isFromMatrix && { sender }),
    };
  }

  /** Old ghosts were kept without saying whose they are; their user ids end with the domain and the Slack id. */
  #identityOf(
    user: string,
    slackId: string | undefined,
    team: string | undefined,
  ): { readonly slackId: string | undefined; readonly team: string | undefined } {
    if (slackId !== undefined && team !== undefined) return { slackId, team };
    const localpart = user.slice(1, user.indexOf(":"));
    const ending = slackId ?? /_([A-Z0-9]+)$/i.exec(localpart)?.[1]?.toUpperCase();
    const domain = localpart.slice(0, -1 - (ending?.length ?? 0)).toLowerCase();
    // Domains have no underscore, and stand behind the prefix of all ghosts, which may have some.
    const found = [...this.#teams.values()].find(
      (each) => each.domain !== undefined && (domain === each.domain || domain.endsWith(`_${each.domain}`)),
    );
    return { slackId: ending, team: team ?? found?.id };
  }

  #teamWith(token: string | undefined): string | undefined {
    if (token === undefined) return undefined;
    return [...this.#teams.values()].find(({ botToken }) => botToken === token)?.id;
  }

  #nameOf(team: string): string {
    const known = this.#teams.get(team);
    return known?.domain === undefined ? team : `${known.domain}.slack.com (${team})`;
  }
}
