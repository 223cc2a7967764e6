import { afterAll, afterEach, expect, it, jest } from "@jest/globals";
import { freePort } from "../../../test/support/bounded.js";
import { IrcPerson } from "../../../test/support/irc-person.js";
import { realServer } from "../../../test/support/servers/index.js";
import { type InspircdInstall, startInspircd } from "../../../test/support/servers/inspircd.js";
import type { LaunchedServer } from "../../../test/support/servers/launched-server.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";

jest.setTimeout(90_000);

const inspircd = await realServer("inspircd");
const servers: LaunchedServer[] = [];
const people: IrcPerson[] = [];
let bridge: RunningBridge | undefined;

/** Two servers that link and lose each other when operators say so. */
async function linked(install: InspircdInstall): Promise<readonly [LaunchedServer, LaunchedServer]> {
  const [one, two] = [await freePort(), await freePort()];
  const extra = (own: number, other: string, port: number): string => `
<module name="spanningtree">
<bind address="127.0.0.1" port="${own}" type="servers">
<link name="${other}" ipaddr="127.0.0.1" port="${port}" allowmask="127.0.0.1" timeout="10" sendpass="linked" recvpass="linked">
<class name="all" commands="SQUIT CONNECT"><type name="all" classes="all">
<oper name="root" password="root" host="*@*" type="all">`;
  const options = (name: string, id: string, own: number, other: string, port: number) => ({
    server: { name, id },
    extra: extra(own, other, port),
  });
  const first = await startInspircd(install, options("one.test", "1AA", one, "two.test", two));
  servers.push(first);
  const second = await startInspircd(install, options("two.test", "2BB", two, "one.test", one));
  servers.push(second);
  return [first, second];
}

afterEach(async () => {
  await bridge?.end();
  bridge = undefined;
});

afterAll(async () => {
  for (const person of people) await person.quit().catch(() => undefined);
  for (const server of servers) await server.stop().catch(() => undefined);
});

inspircd.describe("with two linked InspIRCd", (install) => {
  it("a split that mends is not seen on Matrix, one that does not ends, and ranks cross", async () => {
    const [one, two] = await linked(install);
    const carol = await IrcPerson.connect({ port: one.port, nick: "carol" });
    const dave = await IrcPerson.connect({ port: two.port, nick: "dave" });
    people.push(carol, dave);
    for (const person of people) person.send("OPER root root");
    carol.send("CONNECT two.test");
    await carol.join("#room");
    await dave.join("#room");
    await carol.waitForLine("dave, over the link", ({ command, nick }) => command === "JOIN" && nick === "dave");
    const running = (bridge = await RunningBridge.start({
      networks: [networkOn(one.port, { splitWait: 15 })],
      channels: ["net/#room"],
      config: { onStop: "quit" },
    }));
    await running.ready();
    const { core } = running;
    const seen = (): string[] =>
      core.received.flatMap((event) => (event.kind === "membership" ? [`${event.change} ${event.user.id}`] : []));
    const ranks = (): string[] =>
      core.received.flatMap((event) =>
        event.kind === "roles"
          ? event.changes.flatMap(({ who, role }) => ("remote" in who ? [`${who.remote.id} ${role}`] : []))
          : [],
      );
    await core.until("dave", () => seen().includes("join net/dave"));
    carol.send("MODE #room -o+v dave dave");
    await core.until("dave's voice", () => ranks().includes("net/dave speaker"));
    const settings = await core.until("the channel's settings", () =>
      core.received.find((event) => event.kind === "channel" && event.settings !== undefined),
    );
    expect(settings).toMatchObject({ settings: { topicLocked: true, secret: false, moderated: false } });

    // Both end the link: InspIRCd now and then overlooks for a minute, until its next ping, that the other has closed it.
    carol.send("SQUIT two.test :test");
    dave.send("SQUIT one.test :test");
    await carol.waitForLine(
      "the split",
      ({ command, params }) => command === "QUIT" && params[0] === "one.test two.test",
    );
    await dave.waitForLine("the split, with dave", ({ command, nick }) => command === "QUIT" && nick === "carol");
    carol.send("CONNECT two.test");
    await carol.waitForLine(
      "dave again",
      ({ command, params }) => command === "MODE" && params[1] === "+v" && params[2] === "dave",
    );
    carol.say("#room", "mended");
    await core.until("the end of the split", () => core.texts().includes("mended"));
    expect(seen().filter((line) => line.includes("dave"))).toEqual(["join net/dave"]);

    await two.stop();
    await core.until("dave's end", () => seen().includes("leave net/dave"));
    expect(ranks().at(-1)).toBe("net/dave none");
  });
});
