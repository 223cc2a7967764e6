import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { Agent, request } from "node:http";
import { createLogger } from "@trestle/core";
import { AppServiceServer } from "../dist/appservice/server.js";

type Handler = ConstructorParameters<typeof AppServiceServer>[0]["bridges"][number]["handler"];

const token = "hs-token-of-these-tests";

/** A promise, and what settles it. */
class Gate {
  open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}

let server: AppServiceServer;
let url: string;
let homeserver: Agent;
let taking: Gate;
let taken: Gate;

beforeEach(async () => {
  taking = new Gate();
  taken = new Gate();
  const handler: Partial<Handler> = {
    transaction: async () => {
      taking.open();
      await taken.opened;
    },
  };
  server = new AppServiceServer({
    host: "127.0.0.1",
    port: 0,
    log: createLogger({ level: "silent", format: "json" }),
    bridges: [{ hsToken: token, handler: handler as Handler }],
  });
  url = await server.listen();
  homeserver = new Agent({ keepAlive: true });
});

afterEach(() => {
  taken.open();
  homeserver.destroy();
});

/** Sends the head of a transaction and `body`, on a connection that is kept; resolves to the answer's status, or "broken off". */
function transaction(body: string, length = Buffer.byteLength(body)): Promise<number | string> {
  return new Promise((resolve) => {
    const sent = request(`${url}/_matrix/app/v1/transactions/1`, {
      method: "PUT",
      agent: homeserver,
      headers: { authorization: `Bearer ${token}`, "content-length": length },
    });
    sent.on("response", (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode ?? 0));
    });
    sent.on("error", () => resolve("broken off"));
    sent.write(body);
    if (length === Buffer.byteLength(body)) sent.end();
  });
}

describe("the end of the server", () => {
  it("comes when what was being taken is answered, though the homeserver keeps its connection", async () => {
    const answered = transaction('{"events":[]}');
    await taking.opened;
    const closed = server.close();
    taken.open();
    expect(await answered).toBe(200);
    await closed;
  });

  it("does not wait beyond its deadline for a homeserver that does not say all", async () => {
    const answered = transaction('{"events":', 1_000);
    const whole = transaction('{"events":[]}');
    await taking.opened;
    taken.open();
    expect(await whole).toBe(200);
    const deadline = new Gate();
    const closed = server.close(deadline.opened);
    deadline.open();
    await closed;
    expect(await answered).toBe("broken off");
  });
});
