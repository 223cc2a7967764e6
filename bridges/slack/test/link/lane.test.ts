import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { ChannelId, type RawReceived } from "@trestle/core";
import { CommitLane } from "../../dist/link/intake/lane.js";

let server: Server;
let there: Socket;
let here: Socket;

beforeEach(async () => {
  const accepted = new Promise<Socket>((resolve) => {
    server = createServer({ noDelay: true }, resolve);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  here = connect((server.address() as AddressInfo).port, "127.0.0.1");
  there = await accepted;
});
afterEach(() => {
  here.destroy();
  there.destroy();
  server.close();
});

const raw = (id: string): RawReceived => ({ kind: "raw", id, channel: ChannelId("general"), wire: {} });

/** Nothing else runs in this process for so long. */
function holdUp(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

describe("events of one channel from two connections", () => {
  it("are put in order also when the process was held up before it read the second one", async () => {
    const committed: string[] = [];
    const lane = new CommitLane((events) => {
      committed.push(...events.map(({ id }) => id));
      return Promise.resolve();
    }, 5);
    const first = new Promise<void>((resolve, reject) => {
      here.once("data", () => void lane.commit(raw("first"), "1700000000.000100").then(resolve, reject));
    });
    const second = lane.commit(raw("second"), "1700000000.000200");
    there.write("first");
    holdUp(100);
    await Promise.all([first, second]);
    expect(committed).toEqual(["first", "second"]);
  });
});
