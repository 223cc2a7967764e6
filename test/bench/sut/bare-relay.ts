import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Pool } from "undici";
import { z } from "zod";
import { serve } from "../../tools/rpc.js";
import { asToken, hsToken, sutApi, usage } from "./api.js";

/**
 * The limit to compare with: `node:http` in, one ghost message out by an undici Pool, ordered per room by a chain of
 * promises. No framework, no disk, no checks: what dies with the process is lost.
 */
const transactionSchema = z.custom<{ readonly events: readonly RelayedEvent[] }>(
  (body) => typeof body === "object" && body !== null && "events" in body,
);

interface RelayedEvent {
  readonly type: string;
  readonly room_id: string;
  readonly sender: string;
  readonly event_id: string;
  readonly content: { readonly msgtype: string; readonly body: string };
}

let pool: Pool | undefined;
const chains = new Map<string, Promise<void>>();

async function relay(event: RelayedEvent): Promise<void> {
  const room = event.room_id.replace("!in", "!out");
  const ghost = event.sender.replace("@", "@bench_");
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/${event.event_id.slice(1)}?user_id=${encodeURIComponent(ghost)}`;
  const answer = await pool?.request({
    method: "PUT",
    path,
    headers: { authorization: `Bearer ${asToken}`, "content-type": "application/json" },
    body: JSON.stringify({ msgtype: event.content.msgtype, body: event.content.body }),
  });
  await answer?.body.text();
}

function receive(body: Buffer): void {
  for (const event of transactionSchema.parse(JSON.parse(body.toString())).events) {
    if (event.type !== "m.room.message") continue;
    const previous = chains.get(event.room_id) ?? Promise.resolve();
    chains.set(
      event.room_id,
      previous.then(() => relay(event)),
    );
  }
}

function handle(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    receive(Buffer.concat(chunks));
    response.writeHead(200, { "content-type": "application/json", "content-length": 2 }).end("{}");
  });
}

const server = createServer(handle);

serve(sutApi, {
  start: async ({ homeserverPort }) => {
    pool = new Pool(`http://127.0.0.1:${homeserverPort}`, { connections: 64 });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("The relay has no port");
    return { port: address.port, token: hsToken };
  },
  greeted: () => ({}),
  usage,
  storm: () => ({}),
  stop: async () => {
    server.closeAllConnections();
    server.close();
    await pool?.close();
    return {};
  },
});
