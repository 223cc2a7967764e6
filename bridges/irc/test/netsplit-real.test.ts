import { afterEach, expect, it, jest } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import { freePort } from "../../../test/support/bounded.js";
import { IrcPerson } from "../../../test/support/irc-person.js";
import { realServer } from "../../../test/support/servers/index.js";
import { type InspircdInstall, startInspircd } from "../../../test/support/servers/inspircd.js";
import type { LaunchedServer } from "../../../test/support/servers/launched-server.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";

jest.setTimeout(120_000);

const inspircd = await realServer("inspircd");
const room = ChannelId("net/#room");
const numbers = (what: string, count: number) => Array.from({ length: count }, (_, number) => `${what} ${number}`);

let servers: LaunchedServer[] = [];
let people: IrcPerson[] = [];
let bridge: RunningBridge | undefined;

afterEach(async () => {
  await bridge?.end();
  for (const person of people) await person.quit();
  for (const server of servers) await server.stop();
  bridge = undefined;
  people = [];
  servers = [];
});

async function connect(server: LaunchedServer, nick: string): Promise<IrcPerson> {
  const person = await IrcPerson.connect({ port: server.port, nick });
  people.push(person);
  await person.join("#room");
  return person;
}

async function bridgeOn(port: number, more: Parameters<typeof networkOn>[1] = {}): Promise<RunningBridge> {
  bridge = await RunningBridge.start({
    networks: [networkOn(port, more)],
    channels: ["net/#room"],
    config: { onStop: "quit" },
  });
  return bridge.ready();
}

/** Says texts one after the other, as the core does; all must be taken. */
async function sayAll(running: RunningBridge, texts: readonly string[], name = "Alice"): Promise<void> {
  for (const text of texts) {
    const outcomes = await running.say({ channel: room, text, name }, { attempts: 500 });
    expect(outcomes.filter((outcome) => outcome && "failed" in outcome)).toEqual([]);
  }
}

const textsHeardBy = (person: IrcPerson, nick: string) =>
  person
    .utterances()
    .filter(({ from, target }) => from === nick && target === "#room")
    .map(({ text }) => text);

/** Two servers; an operator of the first (op, password op) parts and joins them. */
async function linked(install: InspircdInstall): Promise<readonly [LaunchedServer, LaunchedServer]> {
  const ports = [await freePort(), await freePort()] as const;
  const identities = [
    { name: "one.test", id: "1AA" },
    { name: "two.test", id: "2BB" },
  ] as const;
  const linkTo = (own: 0 | 1, other: 0 | 1): string => `<module name="spanningtree">
<bind address="127.0.0.1" port="${ports[own]}" type="servers">
<link name="${identities[other].name}" ipaddr="127.0.0.1" port="${ports[other]}" allowmask="127.0.0.1" sendpass="link" recvpass="link">
<class name="links" commands="SQUIT CONNECT"><type name="links" classes="links"><oper name="op" password="op" host="*@*" type="links">`;
  const one = await startInspircd(install, { server: identities[0], extra: linkTo(0, 1) });
  servers.push(one);
  const two = await startInspircd(install, { server: identities[1], extra: linkTo(1, 0) });
  servers.push(two);
  return [one, two];
}

inspircd.describe("on real servers", (install) => {
  it("a netsplit loses nothing that can be heard, nobody of ours leaves, and everybody is back after it", async () => {
    const [one, two] = await linked(install);
    const operator = await connect(one, "dave");
    operator.send("OPER op op");
    await operator.waitForLine("to be an operator", ({ command }) => command === "381");
    operator.send("CONNECT two.test");
    const far = await connect(two, "carol");
    far.send("OPER op op");
    await operator.waitForLine("carol", ({ command, nick }) => command === "JOIN" && nick === "carol");
    const running = await bridgeOn(one.port);
    const { core } = running;
    await far.waitForLine("the bot", ({ command, nick }) => command === "JOIN" && nick === "trestle");

    await sayAll(running, numbers("before", 10));
    await far.waitForUtterance("the last before", ({ text }) => text === "before 9");
    far.say("#room", "carol before");
    await core.until("carol", () => core.texts().includes("carol before"));

    // Both end the link: InspIRCd now and then overlooks for a minute, until its next ping, that the other has closed it.
    operator.send("SQUIT two.test :a test");
    far.send("SQUIT one.test :a test");
    await operator.waitForLine("the split", ({ command, nick }) => command === "QUIT" && nick === "carol");
    await far.waitForLine("the split", ({ command, nick }) => command === "QUIT" && nick === "Alice[m]");
    for (const text of numbers("dave during", 10)) operator.say("#room", text);
    await sayAll(running, numbers("during", 10));

    operator.send("CONNECT two.test");
    await far.waitForLine("the bot's return", ({ command, nick }) => command === "JOIN" && nick === "trestle");
    await operator.waitForLine("carol", ({ command, nick }) => command === "JOIN" && nick === "carol");
    far.say("#room", "carol after");
    await sayAll(running, numbers("after", 10));
    await far.waitForUtterance("the last", ({ text }) => text === "after 9");
    await core.until("carol", () => core.texts().includes("carol after"));

    await operator.barrier();
    expect(textsHeardBy(operator, "Alice[m]")).toEqual(
      ["before", "during", "after"].flatMap((when) => numbers(when, 10)),
    );
    expect(textsHeardBy(far, "Alice[m]")).toEqual(["before", "after"].flatMap((when) => numbers(when, 10)));
    expect(core.texts()).toEqual(["carol before", ...numbers("dave during", 10), "carol after"]);
    for (const person of [operator, far])
      expect([...(await person.names("#room"))].sort()).toEqual(["Alice[m]", "carol", "dave", "trestle"]);
    const gone = operator.lines(({ command }) => ["QUIT", "PART"].includes(command)).map(({ nick }) => nick);
    expect(gone).toEqual(["carol"]);
    // What Matrix knows of carol ends with her being there.
    const ofCarol = core.membership().filter((change) => change.endsWith(" net/carol"));
    expect(ofCarol.at(-1) ?? "join net/carol").toBe("join net/carol");
  });

  it("Excess Flood loses, repeats and reorders nothing, and the pace that comes after it is kept", async () => {
    const server = await startInspircd(install, { floodKill: { burst: 12, perSecond: 8 } });
    servers.push(server);
    const person = await connect(server, "carol");
    const running = await bridgeOn(server.port, { flood: { burst: 64, linesPerSecond: 32 } });
    await sayAll(running, numbers("line", 60));
    await person.barrier();
    expect(textsHeardBy(person, "Alice[m]")).toEqual(numbers("line", 60));
    const floods = person
      .lines(({ command, nick }) => command === "QUIT" && nick === "Alice[m]")
      .map(({ params }) => params[0]);
    expect(floods.length).toBeGreaterThan(0);
    expect(floods.filter((reason) => !/Excess Flood/.test(reason ?? ""))).toEqual([]);
    expect(await person.names("#room")).toEqual(expect.arrayContaining(["Alice[m]", "trestle"]));
  });
});
