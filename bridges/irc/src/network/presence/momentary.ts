import type { Network } from "@trestle/core";
import { AwayMarks } from "./away-marks.js";
import type { IrcNetwork } from "../irc-network.js";
import { PeopleAway } from "./people-away.js";
import { TypingSignals } from "./typing.js";
import { WatchedPeople } from "./watched-people.js";

/** What is true for a moment on one network: who types, who is away. Never kept, never waited for. */
export class Momentary {
  readonly typing: TypingSignals;
  readonly away: AwayMarks;
  /** Absent where the operator does not want it. */
  readonly peopleAway: PeopleAway | undefined;
  readonly watched: WatchedPeople;

  constructor(network: IrcNetwork, core: Pick<Network, "signal">) {
    const { toIrc, toMatrix, after } = network.config.presence;
    this.typing = new TypingSignals(network);
    this.away = new AwayMarks({ puppets: () => network.puppets, afterMs: toIrc ? after * 1000 : undefined });
    this.peopleAway = toMatrix ? new PeopleAway((presence) => core.signal(presence)) : undefined;
    this.watched = new WatchedPeople(network, (user, presence) => this.peopleAway?.seen(user, presence));
  }

  close(): void {
    this.typing.close();
    this.away.close();
    this.peopleAway?.close();
  }
}
