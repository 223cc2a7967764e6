import type { RemoteUser, RoleChange } from "@trestle/core";
import { highestOf, lettersOf, ranksOf, roleOf } from "../../wire/ranks.js";
import type { ModeChange } from "../../wire/mode-changes.js";
import type { Heard, Telling } from "../inward/heard.js";
import { accountOf } from "../ids.js";
import type { NameList } from "./name-lists.js";

/** Who has which rank in a channel: every one that somebody has is kept, so that the lower one shows when the higher is taken. */
export class ChannelRanks {
  constructor(private readonly telling: Telling) {}

  /** A MODE was heard. */
  changed(heard: Heard, channel: string, modes: readonly ModeChange[]): void {
    const { view } = heard.connection;
    const { members } = this.telling.options;
    const ranks = ranksOf(view.isupport);
    const changed = new Map<string, string>();
    for (const { letter, on, parameter } of modes) {
      if (parameter === undefined || !ranks.some((rank) => rank.letter === letter)) continue;
      if (members.rank(view.fold(parameter), channel, letter, on, heard.scope.changes))
        changed.set(view.fold(parameter), parameter);
    }
    this.#tell(heard, channel, [...changed.values()], false);
  }

  /** The names of a channel have come: all ranks there are. */
  listed({ connection: { view } }: Heard, { channel, people }: NameList): void {
    const ranks = ranksOf(view.isupport);
    const { members } = this.telling.options;
    for (const [folded, { prefixes }] of people) {
      const letters = lettersOf(prefixes, ranks);
      // Where a list shows the highest alone, the others are as they were.
      if (letters.length > 1 || letters !== highestOf(members.ranksOf(folded, channel), ranks))
        members.ranked(folded, channel, letters);
    }
  }

  /** Says who has a rank, when it is known who everybody is. */
  tellAll(heard: Heard, { channel, people }: NameList): void {
    const { members } = this.telling.options;
    for (const folded of people.keys()) members.note(folded, heard.scope.changes);
    const ranked = members.of(channel).filter(([folded]) => members.ranksOf(folded, channel) !== "");
    this.#tell(
      heard,
      channel,
      ranked.map(([, nick]) => nick),
      true,
    );
  }

  /** Somebody who had a rank is gone, or is somebody else now. */
  ended(heard: Heard, channel: string, user: RemoteUser, ranksBefore: string): void {
    if (ranksBefore === "" || !this.telling.options.isLinked(channel)) return;
    // Of an account another nick may still be there.
    const role = accountOf(user.id) === undefined ? "none" : this.#roleOf(heard, channel, user);
    this.#emit(heard, channel, [{ who: { remote: user }, role }], `gone:${user.id}`);
  }

  /** Somebody counts as `user` from now on. */
  began(heard: Heard, channel: string, user: RemoteUser): void {
    const role = this.#roleOf(heard, channel, user);
    if (role !== "none" && this.telling.options.isLinked(channel))
      this.#emit(heard, channel, [{ who: { remote: user }, role }], `now:${user.id}`);
  }

  #tell(heard: Heard, channel: string, nicks: readonly string[], complete: boolean): void {
    if (!this.telling.options.isLinked(channel) || (nicks.length === 0 && !complete)) return;
    const { view } = heard.connection;
    const { members } = this.telling.options;
    const changes = new Map<string, RoleChange>();
    for (const nick of nicks) {
      const who = this.telling.rankedOf(heard, nick);
      if (!who) continue;
      const letters = members.ranksOf(view.fold(nick), channel);
      if ("userId" in who) changes.set(who.userId, { who, role: roleOf(letters, ranksOf(view.isupport)) });
      else changes.set(who.remote.id, { who, role: this.#roleOf(heard, channel, who.remote) });
    }
    if (changes.size > 0 || complete) this.#emit(heard, channel, [...changes.values()], "ranks", complete);
  }

  #emit(heard: Heard, channel: string, changes: readonly RoleChange[], distinction: string, complete = false): void {
    this.telling.emit(heard, {
      kind: "roles",
      ...this.telling.caused(heard, channel, `${heard.scope.id}:${distinction}`),
      changes,
      ...(complete && { complete }),
    });
  }

  /** The highest rank under any of the nicks of an account. */
  #roleOf({ connection: { view } }: Heard, channel: string, user: RemoteUser): RoleChange["role"] {
    const letters = this.telling.ranksOf(user, channel, (nick) => view.fold(nick));
    return roleOf(letters, ranksOf(view.isupport));
  }
}
