import { describe, expect, it } from "@jest/globals";
import { defineConnector } from "@trestle/core";
import { z } from "zod";
import { checkNetwork } from "../dist/doctor/network-checks.js";

describe("a connector that does not come to an end", () => {
  it("is stopped, and said to have found nothing", async () => {
    const stopped: boolean[] = [];
    const connector = defineConnector({
      network: "slow",
      config: z.strictObject({}),
      connect: () => ({ message: () => Promise.resolve(undefined) }),
      doctor: ({ signal }) => {
        signal.addEventListener("abort", () => stopped.push(true));
        return new Promise(() => undefined);
      },
    });
    expect(await checkNetwork({ bridge: "slow", connector, config: {} }, { withinMs: 20 })).toEqual([
      expect.objectContaining({ check: "network.answer", bridge: "slow", state: "failed" }),
    ]);
    expect(stopped).toEqual([true]);
  });
});
