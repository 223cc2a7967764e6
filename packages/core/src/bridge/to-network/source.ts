import type { MatrixEvent } from "../../appservice/event.js";
import type { EffectBase } from "../../connector/effects.js";
import type { Link } from "../../mapping/links.js";
import type { Room } from "../../mapping/rooms.js";

/** Where an effect comes from and where it goes. */
export interface EffectSource {
  /** The entry's number in the journal. */
  readonly seq: number;
  readonly event: MatrixEvent;
  readonly room: Room;
  readonly link: Link;
  readonly base: Omit<EffectBase, "effect" | "signal">;
}
