import { setTimeout as sleep } from "node:timers/promises";
import { serve } from "../../tools/rpc.js";
import { waitFor } from "../../tools/wait.js";
import { eventJson } from "../load/generator.js";
import { BareHttpServer } from "../load/http-server.js";
import { MockHomeserver } from "../load/homeserver.js";
import { TransactionPusher } from "../load/pusher.js";
import { Arrivals } from "../slack/arrivals.js";
import { channelName, channelOf, roomOf, worldApi, type Burst } from "./api.js";
import { IrcSocket } from "./irc-socket.js";
import { startServer, type BenchServer } from "./server.js";
import { Witness } from "./witness.js";

const eventsPerTransaction = 100;
const drainMs = 120_000;
const ircSpeakers = 10;

const arrivals = new Arrivals();
let run = 0;
let lastArrival = 0;
let transactions = 0;
const homeserver = new MockHomeserver((room, content) => arrived(channelName(channelOf(room)), content));
const http = new BareHttpServer((method, target, body) => homeserver.answer(method, target, body));
const speakers: IrcSocket[] = [];
const crowd: IrcSocket[] = [];
let channels = 0;
let server: BenchServer | undefined;
let witness: Witness | undefined;
let pusher: TransactionPusher | undefined;

function arrived(channel: string, text: string): void {
  arrivals.note(run, channel, text);
  lastArrival = performance.now();
}

function there<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("There is no server, or no bridge");
  return value;
}

/** Counts a new burst; `say` hands all of it over. */
async function burst(say: () => Promise<void>): Promise<Burst> {
  arrivals.reset();
  run += 1;
  const began = performance.now();
  await say();
  // What is missing afterwards is lost, or too late to count.
  await waitFor("the last message", drainMs, () => arrivals.missing === 0, 5).catch(() => undefined);
  return {
    elapsedMs: lastArrival - began,
    said: arrivals.said,
    lost: arrivals.missing,
    repeated: arrivals.repeated,
    reordered: arrivals.reordered,
  };
}

interface Utterance {
  readonly person: number;
  readonly channel: number;
}

/** Pushes what people say on Matrix, so many events in a transaction. */
async function push(utterances: readonly Utterance[]): Promise<void> {
  for (let from = 0; from < utterances.length; from += eventsPerTransaction) {
    const events = utterances
      .slice(from, from + eventsPerTransaction)
      .map(({ person, channel }, index) =>
        eventJson(roomOf(channel), person, `$r${run}x${from + index}`, arrivals.say(run)),
      );
    await there(pusher).push(`irc${++transactions}`, `{"events":[${events.join(",")}]}`);
  }
}

/** Everybody enters one channel after the other, many people at once. */
async function enter(sockets: readonly IrcSocket[]): Promise<void> {
  await Promise.all(
    sockets.map(async (socket) => {
      await socket.register();
      await Promise.all(Array.from({ length: channels }, (_, channel) => socket.join(channelName(channel))));
    }),
  );
}

/**
 * Whole groups of people, each in the channels of their group. Each channel begins with somebody else: a server takes up
 * to a second to let somebody in, and in a channel everybody waits for their turn.
 */
function introductions(
  from: number,
  to: number,
  channelsEach: number,
  groupSize: number,
  times: number,
): readonly Utterance[] {
  const apart = Math.floor(groupSize / channelsEach);
  return Array.from({ length: (to - from) * times }, (_, turn) => from + (turn % (to - from))).flatMap((next) => {
    const group = Math.floor(next / groupSize);
    return Array.from({ length: channelsEach }, (_, index) => ({
      person: group * groupSize + ((next + index * apart) % groupSize),
      channel: (group * channelsEach + index) % channels,
    }));
  });
}

async function whenSeen(puppets: number, timeoutMs: number): Promise<{ elapsedMs: number }> {
  const began = performance.now();
  const seen = (): number => there(witness).puppets;
  await waitFor(`${puppets} puppets in their channels`, timeoutMs, () => seen() >= puppets, 5).catch(
    (error: unknown) => {
      throw new Error(`${String(error)}; there are ${seen()}`);
    },
  );
  return { elapsedMs: performance.now() - began };
}

serve(worldApi, {
  listen: async (input) => {
    channels = input.channels;
    server = await startServer(input.letsInAtOnce);
    const { port } = server;
    witness = new Witness(port, channels, arrived);
    await witness.enter();
    speakers.push(
      ...Array.from(
        { length: ircSpeakers },
        (_, speaker) => new IrcSocket(port, `speaker${speaker}`, [], () => undefined),
      ),
    );
    await enter(speakers);
    return { homeserverPort: await http.listen(), ircPort: port, ircServer: server.name };
  },
  target: ({ port, token }) => {
    pusher?.close();
    pusher = new TransactionPusher(port, token);
    return {};
  },
  crowd: async ({ people }) => {
    const { port } = there(server);
    crowd.push(
      ...Array.from({ length: people }, (_, person) => new IrcSocket(port, `idle${person}`, [], () => undefined)),
    );
    await enter(crowd);
    return {};
  },
  toIrc: ({ messages, people, channels: spoken }) =>
    burst(() =>
      push(
        Array.from({ length: messages }, (_, message) => ({
          person: message % people,
          channel: (message % people) % spoken,
        })),
      ),
    ),
  toMatrix: ({ messages, channels: spoken }) =>
    burst(() => {
      const lines = speakers.map(() => "");
      for (let message = 0; message < messages; message++) {
        // Always the same one in a channel: only so is there an order.
        const channel = message % spoken;
        const speaker = channel % ircSpeakers;
        lines[speaker] = `${lines[speaker] ?? ""}PRIVMSG ${channelName(channel)} :${arrivals.say(run)}\r\n`;
      }
      for (const [speaker, text] of lines.entries()) speakers[speaker]?.write(text);
      return Promise.resolve();
    }),
  introduce: async ({ from, to, channelsEach, groupSize, times }) => {
    const { lost } = await burst(() => push(introductions(from, to, channelsEach, groupSize, times ?? 1)));
    if (lost > 0) throw new Error(`${lost} messages did not come to IRC`);
    return {};
  },
  whenSeen: ({ puppets, timeoutMs }) => whenSeen(puppets, timeoutMs),
  outage: async ({ milliseconds, puppets, timeoutMs }) => {
    await there(server).halt();
    await sleep(milliseconds);
    await there(server).resume();
    const began = performance.now();
    await there(witness).enter();
    await whenSeen(puppets, timeoutMs);
    return { elapsedMs: performance.now() - began };
  },
  close: async () => {
    pusher?.close();
    witness?.close();
    for (const socket of [...speakers, ...crowd]) socket.close();
    await server?.close();
    return {};
  },
});
