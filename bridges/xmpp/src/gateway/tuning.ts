/** Times in milliseconds, and bounds. */
export interface GatewayTuning {
  /** A room whose state is older is read again before somebody is let in or obeyed. */
  readonly viewMs: number;
  /** Whoever was in a room before a restart and is not back by then leaves the Matrix room. */
  readonly rejoinMs: number;
  /** What one person may cause at once in all rooms: joins, nicks, presences. */
  readonly burst: number;
  /** One more every so many milliseconds. */
  readonly refillMs: number;
  /** Of what was said, shown to those who join and ask for no number. */
  readonly history: number;
  /** The most that is shown to them. */
  readonly maxHistory: number;
  /** Of an archive, on one page. */
  readonly maxPage: number;
  /** The XML of one message that an occupant says, in UTF-8 bytes: with what the room adds it can still be sent. */
  readonly maxMessageBytes: number;
  /** A message that comes once more within this time is the same. */
  readonly sameMs: number;
}

export const defaultGatewayTuning: GatewayTuning = {
  viewMs: 30_000,
  rejoinMs: 300_000,
  burst: 60,
  refillMs: 500,
  history: 20,
  maxHistory: 100,
  maxPage: 100,
  maxMessageBytes: 128 * 1024,
  sameMs: 600_000,
};
