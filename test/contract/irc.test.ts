import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { IrcServer } from "@trestle/testkit";
import { realServer } from "../support/servers/index.js";
import { startInspircd } from "../support/servers/inspircd.js";
import { startNgircd } from "../support/servers/ngircd.js";
import { SHARED, WITH_INSPIRCD } from "./irc-shared.js";
import { type Place, type Scenario, transcriptOf } from "./irc-transcript.js";

const inspircd = await realServer("inspircd");
const ngircd = await realServer("ngircd");

/** The test kit's server is right where a real one says the same. */
function agrees(start: () => Promise<Place>, scenarios: readonly Scenario[]): void {
  let real: Place;

  beforeAll(async () => {
    real = await start();
  });

  afterAll(() => real.stop());

  it.each(scenarios.map((scenario) => [scenario.title, scenario] as const))("%s", async (_title, scenario) => {
    const kit = await IrcServer.start();
    try {
      expect(await transcriptOf(kit, scenario)).toEqual(await transcriptOf(real, scenario));
    } finally {
      await kit.stop();
    }
  });
}

inspircd.describe("the IRC server of the test kit and InspIRCd agree on", (install) => {
  agrees(() => startInspircd(install), [...SHARED, ...WITH_INSPIRCD]);
});

ngircd.describe("the IRC server of the test kit and ngIRCd agree on", (install) => {
  agrees(() => startNgircd(install), SHARED);
});

describe("the scenarios", () => {
  it("have titles of their own, and steps", () => {
    const all = [...SHARED, ...WITH_INSPIRCD];
    expect(new Set(all.map(({ title }) => title)).size).toBe(all.length);
    for (const { steps } of all) expect(steps.length).toBeGreaterThan(0);
  });
});
