import { IrcTestClient } from "@trestle/testkit";
import { type IrcLine, parseIrcLine } from "../support/irc-line.js";
import { patiently } from "../support/bounded.js";

/** A server to talk to, whichever it is. */
export interface Place {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/** One behaviour: who is there, what they say, and which of the answers count. */
export interface Scenario {
  readonly title: string;
  readonly people: readonly string[];
  /** Capabilities that all of them ask for. */
  readonly caps?: readonly string[];
  /** Said before anything counts: `alice JOIN #x`. */
  readonly before?: readonly string[];
  /** Said one after another: `alice JOIN #x`. */
  readonly steps: readonly string[];
  /** Commands and numerics in which the servers differ by right, with why. */
  readonly except?: Readonly<Record<string, string>>;
}

const BEYOND = { timeoutMs: patiently(15_000) };

/** Numerics whose parameters, not only the text at the end, are a server's own. */
const NUMERIC_ONLY: ReadonlySet<string> = new Set([
  "001",
  "002",
  "003",
  "004",
  "312",
  "317",
  "338",
  "375",
  "372",
  "376",
]);

/**
 * Plays a scenario on a server and writes down what everyone hears: sources as nicks or `server`, numerics without their
 * sentences, people in alphabetical order.
 */
export async function transcriptOf(place: Place, scenario: Scenario): Promise<string[]> {
  const people = new Map<string, IrcTestClient>();
  const arriving = scenario.people.map(async (nick) => {
    const options = { port: place.port, nick, caps: scenario.caps ?? [], ...BEYOND };
    people.set(nick, await IrcTestClient.connect(options));
  });
  try {
    await Promise.all(arriving);
    for (const step of scenario.before ?? []) await play(people, step, scenario);
    const transcript: string[] = [];
    for (const step of scenario.steps) transcript.push(`${step}:`, ...(await play(people, step, scenario)));
    return transcript;
  } finally {
    await Promise.allSettled(arriving);
    for (const one of people.values()) one.close();
  }
}

async function play(people: ReadonlyMap<string, IrcTestClient>, step: string, scenario: Scenario): Promise<string[]> {
  const [nick = "", ...words] = step.split(" ");
  const actor = people.get(nick);
  if (actor === undefined) throw new Error(`Nobody is called ${nick} in "${scenario.title}".`);
  const marks = new Map([...people.values()].map((one) => [one, one.mark()]));
  const line = words.join(" ");
  actor.raw(line);
  const quits = /^QUIT/.test(line);
  if (!quits) await actor.sync(BEYOND.timeoutMs);
  else await waitForEnd(actor);
  const said: string[] = [];
  for (const [name, one] of [...people].sort(([a], [b]) => a.localeCompare(b))) {
    if (one.closed) continue;
    await one.sync(BEYOND.timeoutMs);
    const lines = one.lines.slice(marks.get(one)).map(parseIrcLine);
    said.push(...lines.flatMap((each) => shown(each, scenario)).map((text) => `  ${name} < ${text}`));
  }
  return said;
}

async function waitForEnd(client: IrcTestClient): Promise<void> {
  await client.waitForLine(/^ERROR /, BEYOND);
  client.close();
}

function shown({ command, params, nick, tags }: IrcLine, scenario: Scenario): string[] {
  if (command === "PONG" || command === "PING" || Object.hasOwn(scenario.except ?? {}, command)) return [];
  if (/^\d{3}$/.test(command)) {
    if (NUMERIC_ONLY.has(command)) return [command];
    // The sentence at the end is each server's own, but a topic, names and lists are not sentences.
    const keepsText = ["301", "302", "303", "311", "319", "322", "332", "352", "353", "324"].includes(command);
    const kept = keepsText ? params.slice(1) : params.slice(1, -1);
    return [[command, ...kept.map(sorted)].join(" ")];
  }
  const from = nick.includes(".") || nick === "" ? "server" : nick;
  const kept = [...tags]
    .filter(([key]) => key === "label" || key.startsWith("+"))
    .map(([key, value]) => `${key}=${value}`);
  return [[...kept, from, command, ...params].join(" ")];
}

/** Names come in no order. */
const sorted = (text: string): string => text.trim().split(" ").sort().join(" ");
