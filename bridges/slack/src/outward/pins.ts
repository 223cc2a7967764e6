import type { Outcome, PinEffect } from "@trestle/core";
import { z } from "zod";
import { tsOfPart } from "../inward/messages.js";
import type { Speaker } from "./speaker.js";

const doneSchema = z.looseObject({});
/** That it is so already, or that the message is gone, is as good. */
const asGood: ReadonlySet<string> = new Set(["already_pinned", "no_pin", "not_pinned", "message_not_found"]);

/** Pins a message in Slack, or unpins it. */
export async function setPin(
  { workspace, channel }: Speaker,
  { target, signal }: PinEffect,
  method: "pins.add" | "pins.remove",
): Promise<Outcome> {
  const result = await workspace.call({
    method,
    arguments: { channel, timestamp: tsOfPart(target) },
    answer: doneSchema,
    signal,
  });
  return result.ok || asGood.has(result.code ?? "") ? {} : result;
}
