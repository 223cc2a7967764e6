import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@jest/globals";
import type { Stage } from "./stage.js";
import { patiently } from "../support/bounded.js";

const everyMs = 10;
const quietMs = 150;

/** Resolves when nothing is missing any more, or after {@link patiently} `timeoutMs`; then says what must hold: all arrived, once, in order. */
export async function expectAllOnceInOrder(stage: Stage, timeoutMs = 15_000): Promise<void> {
  const end = performance.now() + patiently(timeoutMs);
  const missing = (): boolean => stage.account().some(({ said, heard }) => said.some((text) => !heard.includes(text)));
  while (missing() && performance.now() < end) await sleep(everyMs);
  // A repetition would come now.
  const before = JSON.stringify(stage.account());
  await sleep(quietMs);
  for (const { place, direction, said, heard } of stage.account()) {
    expect({ place, direction, heard }).toEqual({ place, direction, heard: said });
  }
  expect(JSON.stringify(stage.account())).toBe(before);
}
