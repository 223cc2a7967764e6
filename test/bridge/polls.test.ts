import { afterEach, describe, expect, it } from "@jest/globals";
import { Stage } from "../faults/stage.js";
import { eventually } from "./recorder.js";

const unstable = "org.matrix.msc3381.poll";
const text = (body: string): Record<string, string> => ({ "org.matrix.msc1767.text": body });
const about = (event: string): Record<string, Record<string, string>> => ({
  "m.relates_to": { rel_type: "m.reference", event_id: event },
});

/** Polls as a network without polls shows them. */
describe("a poll", () => {
  let stage: Stage;
  afterEach(() => stage.close());

  const lines = (): string[] => stage.network.taken.map((taken) => taken.text);
  const start = (kind: string): Promise<string> =>
    stage.alice.send(stage.room(), `${unstable}.start`, {
      ...text("Tea?\n1. Yes\n2. No"),
      [`${unstable}.start`]: {
        kind: `${unstable}.${kind}`,
        max_selections: 1,
        question: text("Tea?"),
        answers: [
          { id: "a", ...text("Yes") },
          { id: "b", ...text("No") },
        ],
      },
    });
  const vote = (poll: string, ...answers: string[]): Promise<string> =>
    stage.alice.send(stage.room(), `${unstable}.response`, { ...about(poll), [`${unstable}.response`]: { answers } });
  const end = (poll: string): Promise<string> =>
    stage.alice.send(stage.room(), `${unstable}.end`, {
      ...about(poll),
      ...text("Top answer: No"),
      [`${unstable}.end`]: {},
    });

  it("is told with its question, what people vote for, and how it ended", async () => {
    stage = await Stage.open({ places: 1 });
    const poll = await start("disclosed");
    await vote(poll, "a");
    await vote(poll, "b");
    await vote(poll);
    await end(poll);
    await eventually(() => lines().length === 5, "all of it");
    const [question, ...votes] = lines();
    expect(question).toContain("Poll: Tea?");
    expect(votes).toEqual([
      "voted for “Yes” in the poll “Tea?”",
      "voted for “No” in the poll “Tea?”",
      "took back their vote in the poll “Tea?”",
      "Poll “Tea?”: Top answer: No",
    ]);
  });

  it("that keeps its votes to itself keeps them from the network too", async () => {
    stage = await Stage.open({ places: 1 });
    await vote(await start("undisclosed"), "a");
    await eventually(() => lines().length === 2, "both");
    expect(lines()[1]).toBe("voted in the poll “Tea?”");
  });

  it("that cannot be read is voted in all the same, and one that cannot be read now is waited for", async () => {
    stage = await Stage.open({ places: 1 });
    await vote("$nothing", "a");
    const message = await stage.alice.sendText(stage.room(), "no poll");
    await vote(message, "a");
    await eventually(() => lines().length === 3, "the votes in nothing");
    expect(lines()).toEqual(["voted in the poll", "no poll", "voted in the poll"]);
    const poll = await start("disclosed");
    await eventually(() => lines().length === 4, "the poll");
    const away = stage.homeserver.faults.answer({ status: 502 }, { route: "/event/{eventId}" });
    await vote(poll, "a");
    await stage.alice.sendText(stage.room(), "and on");
    await eventually(() => away.applied > 1, "two tries");
    expect(lines().length).toBe(4);
    away.remove();
    await eventually(() => lines().length === 6, "the rest");
    expect(lines().slice(4)).toEqual(["voted for “Yes” in the poll “Tea?”", "and on"]);
  });
});
