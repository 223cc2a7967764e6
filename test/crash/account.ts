import { compare, findMarks, tally, type Direction, type Finding, type Said, type Tally } from "./ledger.js";
import type { World } from "./world.js";

type IrcDirection = Extract<Direction, `${string}IRC${string}`>;

export const directions: readonly IrcDirection[] = ["Matrix → IRC", "IRC → Matrix"];

export interface Account {
  readonly findings: readonly Finding[];
  readonly tallies: Readonly<Record<IrcDirection, Tally>>;
}

/** Holds what arrived everywhere against what was said, as far as the world has been read. */
export function settleAccount(world: World, saidOnMatrix: ReadonlyMap<number, readonly Said[]>): Account {
  const findings: Finding[] = [];
  const said: Record<IrcDirection, number> = { "Matrix → IRC": 0, "IRC → Matrix": 0 };
  const people = new Set(world.people.map(({ userId }) => userId));
  const nicks = new Set(world.ircClients.map(({ nick }) => nick));
  for (const { number } of world.places) {
    const lines = (world.lines.get(number) ?? []).filter(({ command }) => command !== "TAGMSG");
    const own = lines.filter(({ from }) => nicks.has(from));
    const bridged = lines.filter(({ from }) => !nicks.has(from));
    const events = (world.timelines.get(number)?.events ?? []).filter(
      ({ type, sender }) => type === "m.room.message" && !people.has(sender),
    );
    const bodies = events.map(({ content }) => (typeof content["body"] === "string" ? content["body"] : ""));

    const onMatrix = saidOnMatrix.get(number) ?? [];
    const onIrc = own.flatMap(({ text, at }) => findMarks("IRC → Matrix", text).map((id) => ({ id, at })));
    said["Matrix → IRC"] += onMatrix.length;
    said["IRC → Matrix"] += onIrc.length;
    findings.push(
      ...compare(
        "Matrix → IRC",
        number,
        onMatrix,
        bridged.flatMap(({ text }) => findMarks("Matrix → IRC", text)),
      ),
      ...compare(
        "IRC → Matrix",
        number,
        onIrc,
        bodies.flatMap((body) => findMarks("IRC → Matrix", body)),
      ),
      // What comes back to the side where it was said went in a circle.
      ...compare(
        "Matrix → IRC",
        number,
        [],
        bodies.flatMap((body) => findMarks("Matrix → IRC", body)),
      ),
      ...compare(
        "IRC → Matrix",
        number,
        [],
        bridged.flatMap(({ text }) => findMarks("IRC → Matrix", text)),
      ),
    );
  }
  const of = (direction: IrcDirection): Tally =>
    tally(
      said[direction],
      findings.filter((finding) => finding.direction === direction),
    );
  return { findings, tallies: { "Matrix → IRC": of("Matrix → IRC"), "IRC → Matrix": of("IRC → Matrix") } };
}
