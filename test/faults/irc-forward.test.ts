import { afterEach, expect, it, jest } from "@jest/globals";
import irc from "@trestle/irc";
import { IrcServer } from "@trestle/testkit";
import { freePort, until } from "../support/bounded.js";
import { Stage } from "./stage.js";

jest.setTimeout(60_000);

let server: IrcServer | undefined;
let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  await server?.stop();
});

it("what waits for an IRC channel that sends everybody elsewhere is said there, in order", async () => {
  const port = await freePort();
  const network = { name: "net", host: "127.0.0.1", port, tls: false, reconnect: { min: 0.1, max: 0.2 } };
  const opened = await Stage.open({
    places: 1,
    connector: irc,
    bridge: { network: { networks: [network], onStop: "quit" } },
    channelOf: () => "net/#hall",
  });
  stage = opened;
  const linkedTo = async (): Promise<string | undefined> => (await opened.trestle.services.list())[0]?.channel;
  await until(10_000, "the link", async () => (await linkedTo()) === "net/#hall" || undefined);
  const lines = ["one", "two", "three"];
  for (const line of lines) await opened.alice.sendText(opened.room(), line);
  const started = await IrcServer.start({ port });
  server = started;
  started.forwardJoins("#hall", "##hall");
  await until(20_000, "the link to move", async () => (await linkedTo()) === "net/##hall" || undefined);
  for (const line of ["four", "five"]) await opened.alice.sendText(opened.room(), line);
  const heard = (): string[] => started.channel("##hall").log.map(({ text }) => text);
  await until(20_000, "all of it", () => heard().includes("five") || undefined);
  expect(heard()).toEqual([...lines, "four", "five"]);
});
