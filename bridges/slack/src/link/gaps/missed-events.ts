import type { ChannelId, Failure, Interpretation, Interpreted, Logger, NetworkEvent } from "@trestle/core";
import type { Workspace } from "../installations/workspace.js";
import type { SlackWire } from "../intake/intake.js";
import type { Missed } from "./compare.js";
import type { Repairs } from "./repairs.js";

type EventWire = Extract<SlackWire, { readonly from: "event" }>;

export interface MissedEventsOptions {
  readonly repairs: Repairs;
  readonly interpret: (raw: Interpretation, wire: EventWire) => Promise<readonly NetworkEvent[] | Failure>;
  /** Puts a raw event into the journal. */
  readonly commit: (id: string, lane: ChannelId, wire: SlackWire) => Promise<void>;
  readonly log: Logger;
}

/** What cannot be told at once must not make the core believe that nothing comes any more. */
const longestPieceMs = 10_000;

/** Makes the events that Slack would have sent of what was missed, in the place that a look has in its channel's order. */
export class MissedEvents {
  constructor(readonly options: MissedEventsOptions) {}

  /** What `interpret` answers to a look. */
  async look(raw: Interpretation): Promise<Interpreted | readonly NetworkEvent[] | Failure> {
    const piece = await this.options.repairs.look(raw.channel);
    if ("failed" in piece) return piece;
    if (!("missed" in piece)) return { events: [], ...piece };
    const until = Date.now() + longestPieceMs;
    const events: NetworkEvent[] = [];
    let count = 0;
    for (const missed of piece.missed) {
      if (count > 0 && (Date.now() >= until || raw.signal.aborted)) break;
      const made = await this.#make(raw, piece.workspace, missed);
      if ("failed" in made) {
        if (count === 0) return made;
        break;
      }
      events.push(...made);
      count += 1;
    }
    return { events, ...(await piece.told(count)) };
  }

  /** A `retry` for what Slack must be asked first; what fails otherwise is put behind, where it holds up nothing else that was missed. */
  async #make(raw: Interpretation, workspace: Workspace, missed: Missed): Promise<readonly NetworkEvent[] | Failure> {
    const id = `missed:${raw.channel}:${missed.id}`;
    const wire: EventWire = { from: "event", team: workspace.id, body: envelopeOf(workspace, id, missed) };
    const made = await this.options
      .interpret({ ...raw, id, attempt: 1 }, wire)
      .catch((error: unknown): Failure => ({ failed: "uncertain", reason: String(error) }));
    if (!("failed" in made) || made.failed === "retry") return made;
    this.options.log.error(
      { channel: raw.channel, missed: missed.id, reason: made.reason },
      "Something that was missed cannot be told in its place",
    );
    await this.options.commit(id, raw.channel, wire);
    return [];
  }
}

function envelopeOf({ id: team, installation }: Workspace, id: string, { event }: Missed): EventWire["body"] {
  return {
    type: "event_callback",
    event_id: id,
    api_app_id: installation.appId ?? "",
    team_id: team,
    event: { ...event },
  };
}
