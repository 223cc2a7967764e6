import { SlackEmulator } from "@trestle/slack-emulator";
import { serve } from "../../tools/rpc.js";
import { quantile } from "../../tools/statistics.js";
import { waitFor } from "../../tools/wait.js";
import { BareHttpServer } from "../load/http-server.js";
import { MockHomeserver } from "../load/homeserver.js";
import { slackApi, type Delays, type SlackPlan, type SlackResult } from "./api.js";
import { Arrivals } from "./arrivals.js";

const workspace = "acme";
const handles = Array.from({ length: 10 }, (_, number) => `person${number}`);
const drainMs = 20_000;
/** Slack asks for a connection to be left, and closes it itself after this. */
const leaveTimeout = 2_000;
/** What is said so long before Slack asks and so long after it may be touched by it: a connection is opened in some ten milliseconds. */
const renewingMs = { before: 100, after: 400 };

const arrivals = new Arrivals();
let run = 0;
const homeserver = new MockHomeserver((room, content) => arrivals.note(run, room, content));
const server = new BareHttpServer((method, target, body) => homeserver.answer(method, target, body));
let slack: SlackEmulator | undefined;

function running(): SlackEmulator {
  if (!slack) throw new Error("Slack was not started");
  return slack;
}

async function act(plan: SlackPlan): Promise<SlackResult> {
  const app = running().app();
  arrivals.reset();
  run += 1;
  const before = app.deliveries().length;
  const renewals = await talk(plan);
  // What is missing afterwards is lost, or too late to count.
  await waitFor("the last message", drainMs, () => arrivals.missing === 0).catch(() => undefined);
  const acknowledged = new Map<number, number>();
  let sentAgain = 0;
  for (const { body, attempts } of app.deliveries().slice(before)) {
    const number = arrivals.numberOf(run, JSON.stringify(body["event"] ?? ""));
    if (number === undefined) continue;
    if (attempts.length > 1) sentAgain += 1;
    const [from, to] = [attempts[0]?.at, attempts.at(-1)?.endedAt];
    if (from !== undefined && to !== undefined) acknowledged.set(number, to - from);
  }
  const numbers = Array.from({ length: arrivals.said }, (_, number) => number);
  const renewing = numbers.filter((number) => isDuring(renewals, arrivals.saidAt(number)));
  const others = new Set(renewing);
  const delaysOf = (which: readonly number[]): Delays => ({
    acknowledged: spreadOf(which.flatMap((number) => acknowledged.get(number) ?? [])),
    arrived: spreadOf(which.flatMap((number) => arrivals.delay(number) ?? [])),
  });
  return {
    said: arrivals.said,
    renewals: renewals.length,
    renewing: delaysOf(renewing),
    between: delaysOf(numbers.filter((number) => !others.has(number))),
    lost: arrivals.missing,
    repeated: arrivals.repeated,
    reordered: arrivals.reordered,
    sentAgain,
  };
}

/** People talk, and Slack renews connections; resolves to when it did. */
async function talk({ perSecond, durationMs, channels, renewEveryMs }: SlackPlan): Promise<readonly number[]> {
  const emulator = running();
  const people = handles.map((name) => emulator.workspace(workspace).person(name));
  const renewals: number[] = [];
  const began = performance.now();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const passed = performance.now() - began;
      for (const owed = Math.floor((Math.min(passed, durationMs) * perSecond) / 1_000); arrivals.said < owed;) {
        const number = arrivals.said;
        people[number % people.length]?.post(nameOf(number % channels), arrivals.say(run));
      }
      // In the middle of each period.
      if (passed < durationMs && passed > (renewals.length + 0.5) * renewEveryMs) {
        renewals.push(performance.now());
        emulator.app().askToLeave("refresh_requested", "oldest");
      }
      if (passed < durationMs) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  return renewals;
}

function isDuring(renewals: readonly number[], at: number): boolean {
  return renewals.some((renewal) => at > renewal - renewingMs.before && at < renewal + renewingMs.after);
}

function spreadOf(delays: readonly number[]): Delays["arrived"] {
  if (delays.length === 0) throw new Error("Nothing of what was said in Slack came through");
  return { p50: quantile(delays, 0.5), p99: quantile(delays, 0.99), max: quantile(delays, 1) };
}

function nameOf(channel: number): string {
  return `place${channel}`;
}

serve(slackApi, {
  listen: async ({ channels: count }) => {
    const names = Array.from({ length: count }, (_, number) => nameOf(number));
    slack = await SlackEmulator.start({
      leaveTimeout,
      remembered: 100_000,
      workspaces: [
        {
          domain: workspace,
          users: handles.map((name) => ({ name })),
          channels: names.map((name) => ({ name })),
        },
      ],
      apps: [{ name: "Trestle", installations: [{ workspace, channels: names }] }],
    });
    const team = slack.workspace(workspace);
    return {
      homeserverPort: await server.listen(),
      apiUrl: slack.apiUrl,
      appToken: slack.app().appToken,
      botToken: slack.app().botToken(),
      channels: names.map((name) => `${team.id}/${team.channel(name).id}`),
    };
  },
  connected: async ({ connections }) => {
    await running().app().waitForConnections(connections, { timeout: 30_000 });
    return {};
  },
  run: act,
});
