import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "@jest/globals";
import type { Stage } from "./stage.js";
import { patiently } from "../support/bounded.js";

const everyMs = 10;
const quietMs = 150;

/** Resolves when nothing is missing any more, or when nothing has come for {@link patiently} `idleMs`; then says what must hold: all arrived, once, in order. */
export async function expectAllOnceInOrder(stage: Stage, idleMs = 15_000): Promise<void> {
  const missing = (): boolean => stage.account().some(({ said, heard }) => said.some((text) => !heard.includes(text)));
  const arrived = (): number => stage.account().reduce((sum, { heard }) => sum + heard.length, 0);
  let since = performance.now();
  for (let last = arrived(); missing() && performance.now() - since < patiently(idleMs); last = arrived()) {
    await sleep(everyMs);
    if (arrived() > last) since = performance.now();
  }
  // A repetition would come now.
  const before = JSON.stringify(stage.account());
  await sleep(quietMs);
  for (const { place, direction, said, heard } of stage.account()) {
    expect({ place, direction, heard }).toEqual({ place, direction, heard: said });
  }
  expect(JSON.stringify(stage.account())).toBe(before);
}
