import { describe, expect, it } from "@jest/globals";
import { ScramServer, scramCredentials } from "../../../packages/testkit/dist/irc/sasl/scram.js";
import fc from "fast-check";
import { saslPrep } from "@trestle/core";
import { ScramSha256 } from "../dist/session/sasl/scram.js";

/** Runs both sides to the end; `change` is what somebody in between makes of what the server says. */
async function exchange(
  account: string,
  typed: string,
  stored: string,
  change: (text: string, step: number) => string = (text) => text,
): Promise<{ readonly done: boolean; readonly complete: boolean }> {
  const server = new ScramServer({
    credentialsOf: (name) => (name === account ? scramCredentials(stored) : undefined),
    accountOf: (name) => name,
    nonce: "theirs",
  });
  const client = new ScramSha256(account, typed);
  let challenge = Buffer.alloc(0);
  for (let step = 0; step < 4; step++) {
    const answer = server.step(await client.respond(challenge));
    if (answer.kind !== "challenge") return { done: answer.kind === "done", complete: client.complete };
    challenge = Buffer.from(change(answer.data.toString("utf8"), step));
  }
  throw new Error("no end");
}

describe("SCRAM-SHA-256", () => {
  it("takes names and passwords of any content", async () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }).filter((each) => !each.includes("\0"));
    await fc.assert(
      fc.asyncProperty(text, text, async (name, password) => {
        const account = saslPrep(name);
        fc.pre(account !== "");
        expect(await exchange(account, password, password)).toEqual({ done: true, complete: true });
      }),
      { seed: 6, numRuns: 25 },
    );
  });

  it("proves nothing with another password", async () => {
    expect(await exchange("alice", "wrong", "right")).toEqual({ done: false, complete: false });
  });

  it.each([
    ["a challenge that answers somebody else", (text: string) => text.replace(/^r=/, "r=x"), /not an answer to ours/],
    [
      "a forged signature",
      (text: string, step: number) => (step === 1 ? `v=${"A".repeat(43)}=` : text),
      /could not prove/,
    ],
    [
      "an error instead of a signature",
      (text: string, step: number) => (step === 1 ? "e=other-error" : text),
      /could not prove/,
    ],
  ])("stops at %s", async (_, change, reason) => {
    await expect(exchange("alice", "right", "right", change)).rejects.toThrow(reason);
  });
});
