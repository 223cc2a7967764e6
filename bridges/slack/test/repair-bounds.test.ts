import { describe, expect, it } from "@jest/globals";
import { configSchema } from "../dist/config.js";

const withRepair = (repair: object) =>
  configSchema.safeParse({ appToken: "xapp-1-A1-1-a", workspaces: [{ botToken: "xoxb-1" }], repair });
const day = 86_400;

describe("how far back an absence is made up for", () => {
  it("is up to thirty days for messages and seven for changes", () => {
    expect(withRepair({ messages: 30 * day, changes: 7 * day }).success).toBe(true);
    expect(withRepair({ messages: 30 * day + 1 }).success).toBe(false);
    expect(withRepair({ changes: 7 * day + 1 }).success).toBe(false);
  });
});
