import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type IrcTestClient, ManualIrcClock } from "../dist/irc/index.js";
import { ask, heard, Party, short } from "./irc-support.js";

const CAPS = ["batch", "message-tags", "echo-message", "draft/message-redaction", "draft/chathistory"];

let clock: ManualIrcClock;
let party: Party;
let alice: IrcTestClient;
let bob: IrcTestClient;

beforeEach(async () => {
  clock = new ManualIrcClock();
  party = await Party.start({ clock, redactWithinMs: 60_000 });
  [alice, bob] = (await party.inChannel("#x", ["alice", "bob"], CAPS)) as [IrcTestClient, IrcTestClient];
});

afterEach(() => party.end());

async function say(who: IrcTestClient, target = "#x"): Promise<string> {
  const [echo] = await ask(who, `PRIVMSG ${target} :oops`);
  return echo?.tags.get("msgid") ?? "";
}

const code = async (who: IrcTestClient, line: string): Promise<string[]> =>
  (await ask(who, line)).map(({ command, params }) => [command, ...params.slice(0, -1)].join(" "));

describe("REDACT", () => {
  it("takes one's own message back, for those who understand, and out of the history", async () => {
    const carol = await party.person("carol");
    await carol.join("#x");
    const msgid = await say(bob);
    const [atAlice, atCarol] = [alice.mark(), carol.mark()];
    expect((await ask(bob, `REDACT #x ${msgid} :wrong window`)).map(short)).toEqual([
      `REDACT #x ${msgid} wrong window`,
    ]);
    expect((await heard(alice, atAlice)).map((line) => [line.source, short(line)])).toEqual([
      ["bob!bob@127.0.0.1", `REDACT #x ${msgid} wrong window`],
    ]);
    expect(await heard(carol, atCarol)).toEqual([]);
    expect((await ask(alice, "CHATHISTORY LATEST #x * 5")).map(({ command }) => command)).toEqual(["BATCH", "BATCH"]);
    expect(party.irc.channel("#x").redactions).toMatchObject([{ by: "bob", to: "#x", msgid, reason: "wrong window" }]);
  });

  it("lets operators take back what others said, and nobody else", async () => {
    const [ofAlice, ofBob] = [await say(alice), await say(bob)];
    expect(await code(bob, `REDACT #x ${ofAlice}`)).toEqual([`FAIL REDACT REDACT_FORBIDDEN #x ${ofAlice}`]);
    expect((await ask(alice, `REDACT #x ${ofBob}`)).map(short)).toEqual([`REDACT #x ${ofBob}`]);
  });

  it("goes by the account where the message has one", async () => {
    party.irc.setAccount("bob", "robert");
    await bob.sync();
    const msgid = await say(bob);
    party.irc.setAccount("bob", undefined);
    await bob.sync();
    expect(await code(bob, `REDACT #x ${msgid}`)).toEqual([`FAIL REDACT REDACT_FORBIDDEN #x ${msgid}`]);
  });

  it("works in conversations", async () => {
    const msgid = await say(alice, "bob");
    expect(await code(bob, `REDACT alice ${msgid}`)).toEqual([`FAIL REDACT REDACT_FORBIDDEN alice ${msgid}`]);
    const at = bob.mark();
    await ask(alice, `REDACT bob ${msgid}`);
    expect((await heard(bob, at)).map(short)).toEqual([`REDACT bob ${msgid}`]);
  });

  it("refuses with the codes of the specification", async () => {
    const msgid = await say(bob);
    expect(await code(bob, "REDACT #x nonsense")).toEqual(["FAIL REDACT UNKNOWN_MSGID #x nonsense"]);
    expect(await code(bob, `REDACT #nowhere ${msgid}`)).toEqual(["FAIL REDACT INVALID_TARGET #nowhere"]);
    clock.advance(60_001);
    expect(await code(bob, `REDACT #x ${msgid}`)).toEqual([`FAIL REDACT REDACT_WINDOW_EXPIRED #x ${msgid} 60`]);
    const carol = await party.person("carol");
    expect((await ask(carol, `REDACT #x ${msgid}`))[0]?.command).toBe("421");
  });
});
