import { randomBytes } from "node:crypto";
import { isJsonObject, type Json } from "../json.js";

/** Blocks as Slack keeps them: each has a `block_id`, made up when the app gave none. */
export function withBlockIds(blocks: readonly Json[]): Json[] {
  return blocks.map((block) =>
    isJsonObject(block) && block.block_id === undefined
      ? { ...block, block_id: randomBytes(3).toString("base64url") }
      : block,
  );
}
