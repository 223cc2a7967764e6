import { fail, Found, leaveOut, type Finding } from "../report/finding.js";
import { textsOf, viewOf } from "../network/view.js";
import type { Seen } from "../network/network-fake.js";
import type { Stage } from "./stage.js";
import { account, someOf } from "./tally.js";

export type Direction = "toNetwork" | "toMatrix";

export interface Expected {
  readonly direction: Direction;
  readonly place?: 0 | 1;
  /** What was said, in order. */
  readonly marks: readonly string[];
  /** What happened meanwhile: the beginning of a sentence. */
  readonly story: string;
  /** How many may be there twice. */
  readonly twiceAllowed?: number;
}

const names = { toNetwork: "the network", toMatrix: "Matrix" } as const;

const looks = {
  toNetwork: {
    lost: "the connector's `message`: it must not resolve before the network has the message; answer `retry` when it surely has not, `uncertain` when nobody knows",
    twice:
      "the connector's `findSent` (or `idempotent`): it must find what was sent under the same effect, also by an earlier process",
    swapped:
      "the connector's `message`: it must resolve only when the network has the message; a queue of its own lets later ones overtake",
  },
  toMatrix: {
    lost: "where the connector calls `network.receive`: acknowledge to the network only after it has resolved, and ask for what was missed (`catchUp`) after each connection",
    twice: "the `id` given to `network.receive`: the same message must have the same id whenever it is received",
    swapped: "where the connector calls `network.receive`: one after the other, in the network's order",
  },
} as const;

/** What arrived of what was said, after everything that was before it has arrived, too. @throws Found */
export async function expectArrived(stage: Stage, expected: Expected): Promise<void> {
  const { direction, place = 0, marks, story, twiceAllowed = 0 } = expected;
  const arrived = await fence(stage, direction, place);
  const texts = textsAt(stage, direction, place);
  const { lost, twice, swapped } = account(marks, texts);
  const findings: Finding[] = [];
  const where = names[direction];
  const look = looks[direction];
  if (lost.length > 0) {
    findings.push({
      failed: `${story}, ${lost.length} of ${marks.length} messages never reached ${where}: ${someOf(lost)}.${await whatIsKnown(stage)}`,
      seen: `they are missing on ${where}, and whoever wrote them believes that they were read`,
      look: look.lost,
    });
  } else if (!arrived) {
    findings.push({
      failed: `${story}, a further message did not reach ${where} within ${stage.options.patienceMs / 1_000} s.${await whatIsKnown(stage)}`,
      seen: `the conversation has stopped`,
      look: look.lost,
    });
  }
  if (twice.length > twiceAllowed) {
    findings.push({
      failed: `${story}, ${twice.length} of ${marks.length} messages reached ${where} more than once: ${someOf(twice)}.`,
      seen: `they are there twice`,
      look: look.twice,
    });
  }
  if (swapped.length > 0) {
    const pairs = swapped.map(([before, after]) => `${after} before ${before}`);
    findings.push({
      failed: `${story}, messages reached ${where} in another order: ${someOf(pairs, 3)}.`,
      seen: `an answer stands before its question`,
      look: look.swapped,
    });
  }
  if (findings.length > 0) throw new Found(findings);
}

/** A last message in the same lane: when it is there, all before it must be. Resolves to whether it came. */
export async function fence(stage: Stage, direction: Direction, place: 0 | 1 = 0): Promise<boolean> {
  const has = (mark: string): boolean => textsAt(stage, direction, place).some((text) => text.includes(mark));
  if (direction === "toNetwork") {
    const mark = stage.mark("end");
    await stage.tell(mark, place);
    return (await stage.until(() => has(mark))) ?? false;
  }
  // A network that keeps nothing loses what is said before the bridge is back: it is said again then.
  const said: string[] = [];
  let next = 0;
  const came = await stage.until(async () => {
    if (said.some(has)) return true;
    if (performance.now() >= next) {
      const mark = stage.mark("end");
      await stage.say(mark, place).then(
        () => said.push(mark),
        // Nobody can speak yet, after an outage.
        () => undefined,
      );
      next = performance.now() + 1_000;
    }
    return false;
  });
  return came ?? false;
}

export function textsAt(stage: Stage, direction: Direction, place: 0 | 1): string[] {
  return direction === "toMatrix" ? stage.textsOnMatrix(place) : textsOf(seenAt(stage, place));
}

export function seenAt(stage: Stage, place: 0 | 1 = 0): readonly Seen[] {
  return stage.fake.seen(stage.channel(place));
}

/** What people in the channel see now. */
export function viewAt(stage: Stage, place: 0 | 1 = 0): string[] {
  return viewOf(seenAt(stage, place));
}

/** How many messages may be repeated at a crash: one where the network cannot be asked. */
export function twiceAllowed(stage: Stage, note: (text: string) => void): number {
  const { handlers, idempotent } = stage.life.abilities;
  if (idempotent || handlers.includes("findSent")) return 0;
  note("the connector has neither `findSent` nor `idempotent`: one message for each crash may be repeated");
  return 1;
}

/** Ends the check where the connector lacks a handler. */
export function needsHandler(stage: Stage, ...names: readonly string[]): void {
  const missing = names.filter((name) => !stage.life.abilities.handlers.includes(name));
  if (missing.length > 0) leaveOut(`the connector has no ${missing.join(", ")}`);
}

/** The message on the network that holds `mark`, waited for. */
export async function arrivedAt(stage: Stage, mark: string, place: 0 | 1 = 0): Promise<{ readonly id?: string }> {
  const found = await stage.until(() =>
    seenAt(stage, place).find((each) => each.kind === "message" && each.text.includes(mark)),
  );
  if (found?.kind === "message") return found;
  return fail({
    failed: `A message (${mark}) did not reach the network.${await whatIsKnown(stage)}`,
    seen: "it is missing",
    look: looks.toNetwork.lost,
  });
}

/** The event on Matrix that holds `mark`, waited for. */
export async function eventAt(stage: Stage, mark: string, place: 0 | 1 = 0): Promise<string> {
  const found = await stage.until(() =>
    stage.onMatrix(place).find(({ kind, text }) => kind === "message" && text.includes(mark)),
  );
  if (found) return found.event;
  return fail({
    failed: `What a person of the network said (${mark}) did not reach Matrix.${await whatIsKnown(stage)}`,
    seen: "it is missing",
    look: looks.toMatrix.lost,
  });
}

/** Dead letters and the last words of the log, as far as they explain anything. */
export async function whatIsKnown(stage: Stage): Promise<string> {
  const facts: string[] = [];
  try {
    const dead = await stage.life.services.queue.list({ state: "dead", limit: 3 });
    for (const { error = "?" } of dead) facts.push(`a dead letter says: ${error}`);
    const waiting = await stage.life.services.queue.list({ state: "waiting", limit: 1 });
    for (const { error = "?", attempts } of waiting) facts.push(`one waits after ${attempts} attempts: ${error}`);
  } catch {
    facts.push("the bridge does not run");
  }
  const last = stage.life.log.at(-1);
  if (last !== undefined) facts.push(`the log ends: ${last}`);
  return facts.length === 0 ? "" : ` (${facts.join("; ")})`;
}
