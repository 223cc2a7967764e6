import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import irc from "@trestle/irc";
import { IrcServer, IrcTestClient } from "@trestle/testkit";
import { pino } from "pino";
import { freePort, until } from "../support/bounded.js";
import { expectAllOnceInOrder } from "./settled.js";
import { Stage } from "./stage.js";

jest.setTimeout(60_000);

const channel = "#hall";

describe("a disk that refuses one thing and takes the next", () => {
  const directory = mkdtempSync(join(tmpdir(), "trestle-refusing-"));
  let server: IrcServer;
  let carol: IrcTestClient;
  let stage: Stage;
  afterEach(async () => {
    await carol.quit();
    await stage.close();
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it("does not change the order in which it was said on IRC, and loses nothing of it", async () => {
    server = await IrcServer.start({ port: await freePort() });
    const logged: string[] = [];
    const network = { name: "net", host: "127.0.0.1", port: server.port, tls: false };
    stage = await Stage.open({
      places: 1,
      dataDirectory: join(directory, "data"),
      connector: irc,
      bridge: { network: { networks: [network], onStop: "quit" } },
      channelOf: () => `net/${channel}`,
      log: pino({ level: "error" }, { write: (line: string) => void logged.push(line) }),
    });
    await until(20_000, "the bot in the channel", () => server.channel(channel).members.length > 0 || undefined);
    carol = await IrcTestClient.connect({ port: server.port, nick: "carol" });
    await carol.join(channel);
    say("before");
    await expectAllOnceInOrder(stage);

    const database = new Database(join(directory, "data", "trestle.db"), { timeout: 10_000 });
    database.exec(
      "CREATE TRIGGER refusal BEFORE INSERT ON segment WHEN instr(NEW.body, 'number 3') > 0 BEGIN SELECT RAISE(ABORT, 'the disk refuses this one'); END",
    );
    for (let number = 1; number <= 6; number += 1) say(`number ${number}`);
    await until(
      20_000,
      "the refusal",
      () => logged.some((line) => line.includes("the disk refuses this one")) || undefined,
    );
    // Also what is said while it is tried again stays behind it.
    say("number 7");
    expect(stage.account().find(({ direction }) => direction === "to Matrix")?.heard).not.toContain("number 3");
    database.exec("DROP TRIGGER refusal");
    database.close();
    await expectAllOnceInOrder(stage);
  });

  function say(text: string): void {
    carol.say(channel, text);
    stage.expectOnMatrix(text);
  }
});
