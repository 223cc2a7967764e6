import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { realServer } from "../support/servers/index.js";
import { cases } from "./cases.js";
import type { Side } from "./sides.js";
import { synapseSide, testKitSide } from "./sides.js";
import type { Note } from "./stage.js";
import { Stage } from "./stage.js";

jest.setTimeout(120_000);

type Notes = Map<string, readonly Note[]>;

/** Runs every case on one side; what a case noted is kept for the comparison. */
function runOn(start: () => Promise<Side>, notes: Notes): void {
  let side: Side;
  beforeAll(async () => {
    side = await start();
  });
  afterAll(() => side.stop());
  it.each(cases.map(([title], index) => [title, index] as const))("%s", async (title, index) => {
    const stage = new Stage(side, index);
    side.service.answer = () => undefined;
    await cases[index]![1](stage);
    notes.set(title, stage.notes);
  });
}

const ofTestKit: Notes = new Map();
describe("the contract, on the test kit's homeserver", () => runOn(testKitSide, ofTestKit));

const real = await realServer("synapse");
real.describe("the contract, on Synapse", (install) => {
  const ofSynapse: Notes = new Map();
  describe("every case", () => runOn(() => synapseSide(install), ofSynapse));

  describe("the test kit's homeserver answers and delivers the same", () => {
    it.each(cases.map(([title]) => title))("%s", (title) => {
      expect(ofTestKit.get(title)).toEqual(ofSynapse.get(title));
    });
  });
});
