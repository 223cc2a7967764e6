import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Pool } from "undici";
import { z } from "zod";
import { serve } from "../../tools/rpc.js";
import { asToken, hsToken } from "../sut/api.js";
import { bridgeApi, channelName, channelOf, personName, puppetSuffix, roomOf, weigh } from "./api.js";
import { IrcSocket } from "./irc-socket.js";

/**
 * The limit to compare with: `node:http` and bare IRC sockets, one for each person. What is said in a room is ordered by
 * a chain of promises: into IRC each waits for the echo of the one before, into Matrix for the answer to it. No
 * framework, no disk, no checks: what dies with the process is lost.
 */
const transactionSchema = z.custom<{ readonly events: readonly RelayedEvent[] }>(
  (body) => typeof body === "object" && body !== null && "events" in body,
);

interface RelayedEvent {
  readonly type: string;
  readonly room_id: string;
  readonly sender: string;
  readonly content: { readonly body: string };
}

const connectAtOnce = 100;
let pool: Pool | undefined;
let bot: IrcSocket | undefined;
const sockets = new Map<string, IrcSocket>();
const echoes = new Map<string, () => void>();
const intoIrc = new Map<string, Promise<void>>();
const intoMatrix = new Map<string, Promise<void>>();
let sent = 0;

function chain(chains: Map<string, Promise<void>>, key: string, next: () => Promise<void>): void {
  chains.set(key, (chains.get(key) ?? Promise.resolve()).then(next));
}

async function toIrc({ room_id: room, sender, content }: RelayedEvent): Promise<void> {
  const socket = sockets.get(sender.slice(1, sender.indexOf(":")));
  if (!socket) return;
  const channel = channelName(channelOf(room));
  await new Promise<void>((resolve) => {
    echoes.set(`${socket.nick} ${channel}`, resolve);
    socket.write(`PRIVMSG ${channel} :${content.body}\r\n`);
  });
}

async function toMatrix(channel: string, nick: string, body: string): Promise<void> {
  const room = roomOf(Number(channel.slice(2)));
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/${++sent}?user_id=${encodeURIComponent(`@bench_${nick}:bench.local`)}`;
  const answer = await pool?.request({
    method: "PUT",
    path,
    headers: { authorization: `Bearer ${asToken}`, "content-type": "application/json" },
    body: JSON.stringify({ msgtype: "m.text", body }),
  });
  await answer?.body.text();
}

/** What a person's own connection says: that a message was taken. */
function noteEcho(socket: IrcSocket, line: string): void {
  if (!line.startsWith(`:${socket.nick}!`)) return;
  const [, command, channel = ""] = line.split(" ", 3);
  if (command === "PRIVMSG") echoes.get(`${socket.nick} ${channel}`)?.();
}

/** What the bot hears of people who are not its own. */
function hear(line: string): void {
  const [source = "", command, channel = ""] = line.split(" ", 3);
  const nick = source.slice(1, source.indexOf("!"));
  if (command !== "PRIVMSG" || nick.endsWith(puppetSuffix)) return;
  const text = line.slice(line.indexOf(" :", 1) + 2);
  chain(intoMatrix, channel, () => toMatrix(channel, nick, text));
}

async function connectAll(ircPort: number, channels: number, people: number): Promise<void> {
  bot = new IrcSocket(ircPort, "trestle", [], hear);
  await bot.register();
  for (let channel = 0; channel < channels; channel++) await bot.join(channelName(channel));
  const connectOne = async (person: number): Promise<void> => {
    const name = personName(person);
    const socket: IrcSocket = new IrcSocket(ircPort, `${name}${puppetSuffix}`, ["echo-message"], (line) =>
      noteEcho(socket, line),
    );
    sockets.set(name, socket);
    await socket.register();
    await socket.join(channelName(person % channels));
  };
  for (let from = 0; from < people; from += connectAtOnce)
    await Promise.all(
      Array.from({ length: Math.min(connectAtOnce, people - from) }, (_, index) => connectOne(from + index)),
    );
}

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    for (const event of transactionSchema.parse(JSON.parse(Buffer.concat(chunks).toString())).events)
      if (event.type === "m.room.message") chain(intoIrc, event.room_id, () => toIrc(event));
    response.writeHead(200, { "content-type": "application/json", "content-length": 2 }).end("{}");
  });
});

serve(bridgeApi, {
  start: async ({ homeserverPort, ircPort, channels, puppets }) => {
    pool = new Pool(`http://127.0.0.1:${homeserverPort}`, { connections: 64 });
    await connectAll(ircPort, channels, puppets);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("The relay has no port");
    return { port: address.port, token: hsToken };
  },
  weigh,
  stop: async () => {
    bot?.close();
    for (const socket of sockets.values()) socket.close();
    server.closeAllConnections();
    server.close();
    await pool?.close();
    return {};
  },
});
