import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readArguments, wholeNumber } from "../tools/arguments.js";
import { ircServers } from "./irc-server.js";
import { ircScenarios, planIrc } from "./irc-suite.js";
import { describeResult, summarize, type PlannedRun, type RunResult } from "./report.js";
import { planSlack, slackScenarios, transports } from "./slack/suite.js";
import { planXmpp, xmppScenarios, xmppServers } from "./xmpp/suite.js";
import type { Way } from "./xmpp/way.js";

const usage = `npm run test:crash -- [--network irc|slack|xmpp] [--server NAME] [--cycles N] [--transport socket|http|both]
                   [--scenario NAME,…] [--accounts | --relay] [--seed N] [--keep]

Kills the bridge at random instants under load in both directions and counts what is lost, duplicated and reordered.
Exit status: 0 nothing was (but the repetitions that a scenario allows), 1 something was, 2 wrong arguments.

--network NAME     irc (usual), slack or xmpp
--server NAME      of irc: which server, the test kit's own (kit, usual) or an installed InspIRCd (inspircd);
                   of xmpp: prosody, ejabberd or both (usual)
--cycles N         how often something bad happens, all scenarios together (irc: 200; slack: 100 for each transport;
                   xmpp: 100 for each server)
--transport NAME   of slack: how events come (both)
--scenario LIST    only these; irc: ${ircScenarios.join(", ")}; slack: ${slackScenarios.join(", ")};
                   xmpp: ${xmppScenarios.join(", ")}
--accounts         of xmpp: some people on Matrix have accounts of their own on XMPP, which they also use with a client
--relay            of xmpp: the bridge has no component, but an account that says for all what they say on Matrix
--seed N           decides about every instant; printed, so that a run can be repeated
--keep             keeps the logs also when all is well`;

const given = readArguments(
  usage,
  ["keep", "accounts", "relay"],
  ["network", "cycles", "transport", "server", "scenario", "seed"],
);
const network = oneOf("network", ["irc", "slack", "xmpp"], "irc");
const cycles = wholeNumber("cycles", given.options.get("cycles"), network === "irc" ? 200 : 100);
const seed = wholeNumber("seed", given.options.get("seed"), Math.floor(Math.random() * 1_000_000));
const transport = oneOf("transport", [...transports, "both"], "both");
const names = given.options.get("scenario")?.split(",");
const known = { irc: ircScenarios, slack: slackScenarios, xmpp: xmppScenarios }[network];
const unknown = names?.filter((name) => !known.includes(name)) ?? [];
if (unknown.length > 0) refuse(`There is no scenario ${unknown.join(", ")}`);

const directory = mkdtempSync(join(tmpdir(), "trestle-crash-"));
console.log(`${cycles} cycles, seed ${seed}, logs in ${directory}`);
const planned = plan();
const results: RunResult[] = [];
for (const { title, run } of planned) {
  try {
    const result = await run();
    results.push(result);
    console.log(describeResult(result));
  } catch (error) {
    console.log(`${title}: FAILED: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exitCode = 1;
  }
}
console.log(summarize(results, seed));
if (results.some(({ ok }) => !ok)) process.exitCode = 1;
if (process.exitCode === undefined && !given.flags.has("keep")) rmSync(directory, { recursive: true, force: true });
else console.log(`Logs are kept in ${directory}`);

function plan(): readonly PlannedRun[] {
  switch (network) {
    case "irc":
      return planIrc(names, cycles, seed, directory, oneOf("server", ircServers, "kit"));
    case "slack":
      return planSlack(transport === "both" ? transports : [transport], names, cycles, seed, directory);
    case "xmpp": {
      const server = oneOf("server", [...xmppServers, "both"], "both");
      const chosen = server === "both" ? xmppServers : [server];
      return planXmpp(chosen, names, cycles, seed, directory, wayOf(given.flags));
    }
  }
}

function wayOf(flags: ReadonlySet<string>): Way {
  if (flags.has("accounts") && flags.has("relay")) refuse("--accounts and --relay exclude each other");
  return flags.has("accounts") ? "accounts" : flags.has("relay") ? "relay" : "component";
}

function oneOf<const Value extends string>(
  option: "network" | "transport" | "server",
  values: readonly Value[],
  usual: Value,
): Value {
  const text = given.options.get(option) ?? usual;
  return values.find((value) => value === text) ?? refuse(`--${option} must be one of ${values.join(", ")}`);
}

function refuse(why: string): never {
  console.error(`${why}\n\n${usage}`);
  process.exit(2);
}
