import { formatTable } from "../tools/table.js";
import { readArguments, wholeNumber } from "../tools/arguments.js";
import { pinningWorks } from "../tools/child.js";
import { checkIrc } from "./checks/irc.js";
import { checkRelay } from "./checks/relay.js";
import { checkRequests } from "./checks/requests.js";
import { checkRooms } from "./checks/rooms.js";
import { checkSlack } from "./checks/slack.js";
import { checkStartup } from "./checks/startup.js";
import { checkStorm } from "./checks/storm.js";
import { checkXmpp } from "./checks/xmpp.js";
import { measureDisk } from "./disk.js";
import type { Figure, Pace, Report } from "./figure.js";

const usage = `npm run bench -- [PART…] [--quick] [--rounds N]

Measures Trestle against a bare node:http relay on this machine, in turn, and prints every figure with its limit.
Exit status: 0 every limit holds, 1 one does not, 2 wrong arguments.

PART        only these parts: relay, rooms, storm, startup, requests, slack, irc, xmpp
--quick     shorter runs, at most 5 minutes
--rounds N  how often each measurement is repeated (3); the median counts`;

const checks: Readonly<Record<string, (pace: Pace, report: Report) => Promise<Figure[]>>> = {
  relay: checkRelay,
  rooms: checkRooms,
  storm: checkStorm,
  startup: checkStartup,
  requests: (_, report) => checkRequests(report),
  slack: checkSlack,
  irc: checkIrc,
  xmpp: checkXmpp,
};

const full: Pace = {
  rounds: 3,
  warmMs: 3_000,
  measureMs: 4_000,
  rateMs: 5_000,
  backlog: 5_000,
  stormMs: 9_000,
  renewalMs: 10_000,
  burst: 4_000,
  xmppMessages: 20_000,
  starts: 5,
  mappedMessages: 1_000_000,
};
const quick: Pace = {
  rounds: 2,
  warmMs: 1_500,
  measureMs: 1_500,
  rateMs: 1_500,
  backlog: 2_000,
  stormMs: 7_000,
  renewalMs: 5_000,
  burst: 3_000,
  xmppMessages: 8_000,
  starts: 3,
  mappedMessages: 1_000_000,
};

const given = readArguments(usage, ["quick"], ["rounds"], Object.keys(checks));
const base = given.flags.has("quick") ? quick : full;
const pace = { ...base, rounds: Math.max(1, wholeNumber("rounds", given.options.get("rounds"), base.rounds)) };
const names = given.words.length > 0 ? given.words : Object.keys(checks);
const began = performance.now();
const report: Report = (line) =>
  console.log(`[${((performance.now() - began) / 1000).toFixed(0).padStart(3)} s] ${line}`);

report(
  pinningWorks()
    ? "The system under test runs on processor 0, the load generator on processor 1"
    : "Processes are not tied to processors",
);
const figures: Figure[] = [measureDisk()];
for (const name of names) figures.push(...((await checks[name]?.(pace, report)) ?? []));

const verdict = ({ ok }: Figure): string => (ok === undefined ? "" : ok ? "ok" : "FAILED");
console.log(
  `\n${formatTable(
    ["figure", "limit", "measured", ""],
    figures.map((figure) => [figure.name, figure.limit, figure.measured, verdict(figure)]),
  )}\n`,
);
const failed = figures.filter(({ ok }) => ok === false);
console.log(
  failed.length === 0
    ? "All limits hold."
    : `${failed.length} of ${figures.filter(({ ok }) => ok !== undefined).length} limits do not hold.`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
