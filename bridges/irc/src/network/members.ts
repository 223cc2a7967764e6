import { z } from "zod";
import type { StateChange } from "../holder/frames.js";

const MEMBER_KEY = "member:";

interface Member {
  nick: string;
  readonly channels: Set<string>;
}

const storedSchema = z.object({ nick: z.string(), channels: z.array(z.string()) });

/** Who is in which channel, as the bot sees it. Every change is noted with the line it comes from. */
export class Members {
  readonly #members = new Map<string, Member>();

  /** Returns whether the person was not in the channel before. */
  join(folded: string, nick: string, channel: string, changes: StateChange[]): boolean {
    const member = this.#members.get(folded) ?? { nick, channels: new Set() };
    const isNew = !member.channels.has(channel);
    member.nick = nick;
    member.channels.add(channel);
    this.#members.set(folded, member);
    changes.push(this.#change(folded));
    return isNew;
  }

  leave(folded: string, channel: string, changes: StateChange[]): void {
    const member = this.#members.get(folded);
    if (!member?.channels.delete(channel)) return;
    if (member.channels.size === 0) this.#members.delete(folded);
    changes.push(this.#change(folded));
  }

  /** Returns the channels the person was in. */
  quit(folded: string, changes: StateChange[]): readonly string[] {
    const member = this.#members.get(folded);
    if (!member) return [];
    this.#members.delete(folded);
    changes.push(this.#change(folded));
    return [...member.channels];
  }

  /** Returns the channels the person is in. */
  rename(from: string, to: string, nick: string, changes: StateChange[]): readonly string[] {
    const member = this.#members.get(from);
    if (!member) return [];
    this.#members.delete(from);
    this.#members.set(to, { nick, channels: member.channels });
    changes.push(this.#change(from), this.#change(to));
    return [...member.channels];
  }

  /** The people of a channel: folded nick and nick. */
  of(channel: string): (readonly [folded: string, nick: string])[] {
    return [...this.#members]
      .filter(([, { channels }]) => channels.has(channel))
      .map(([folded, { nick }]) => [folded, nick] as const);
  }

  /** Nobody listens to a channel any more. */
  forget(channel: string): StateChange[] {
    const changes: StateChange[] = [];
    for (const [folded] of this.of(channel)) this.leave(folded, channel, changes);
    return changes;
  }

  nickOf(folded: string): string | undefined {
    return this.#members.get(folded)?.nick;
  }

  snapshot(): StateChange[] {
    return [...this.#members.keys()].map((folded) => this.#change(folded));
  }

  restore(state: readonly StateChange[]): void {
    for (const [key, value] of state) {
      if (!key.startsWith(MEMBER_KEY) || value === undefined) continue;
      const { nick, channels } = storedSchema.parse(JSON.parse(value));
      this.#members.set(key.slice(MEMBER_KEY.length), { nick, channels: new Set(channels) });
    }
  }

  #change(folded: string): StateChange {
    const member = this.#members.get(folded);
    return [MEMBER_KEY + folded, member && JSON.stringify({ nick: member.nick, channels: [...member.channels] })];
  }
}
