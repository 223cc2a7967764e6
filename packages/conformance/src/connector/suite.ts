import { patience } from "@trestle/testkit";
import type { NetworkFake } from "../network/network-fake.js";
import { Found, leaveOut, LeftOut, type Finding } from "../report/finding.js";
import { formatResult } from "../report/format.js";
import { reportOf, resultOf, type CheckResult, type Report } from "../report/report.js";
import type { ConnectorCheck, Note } from "./check.js";
import { connectorChecks } from "./checks/all.js";
import type { Stage } from "./stage.js";
import { Stages, type StagesOptions } from "./stages.js";
import { nameOf, type Subject } from "./subject.js";

export interface ConformanceOptions {
  /** Only checks whose id is one of these, or begins with one and a dot (`order`). */
  readonly only?: readonly string[];
  /** Checks to leave out, named in the same way, and why: the report says so. */
  readonly except?: Readonly<Record<string, string>>;
  /** How long something that must come is waited for, in milliseconds; 20 000, times `TRESTLE_PATIENCE`, where absent. */
  readonly patienceMs?: number;
  /** Settings of `delivery` that replace the suite's, which are short. */
  readonly delivery?: Readonly<Record<string, unknown>>;
}

export interface SuiteOptions extends ConformanceOptions {
  /** What makes groups and tests; those of the test runner (`globalThis`) where absent. */
  readonly describe?: (name: string, define: () => void) => void;
  readonly it?: (name: string, test: () => Promise<void>, timeoutMs?: number) => void;
  /** What runs something after all tests; without it every check gets a bridge of its own, which takes longer. */
  readonly after?: (close: () => Promise<void>) => void;
  /** How long one check may take, in milliseconds; ten times `patienceMs` where absent. Jest heeds it. */
  readonly timeoutMs?: number;
}

const usualPatienceMs = 20_000 * patience;

/** Makes a group of tests for a test runner, one for each check. A failed test says what people would have seen. */
export function conformance(subject: Subject, fake: NetworkFake, options: SuiteOptions = {}): void {
  const { describe, it, after } = runnerOf(options);
  const stages = new Stages(subject, fake, { ...settingsOf(options), sharing: after !== undefined });
  const timeout = options.timeoutMs ?? 10 * (options.patienceMs ?? usualPatienceMs);
  const checks = selected(options);
  describe(`conformance of ${nameOf(subject)}`, () => {
    after?.(() => stages.close());
    for (const group of new Set(checks.map((each) => each.group))) {
      describe(group, () => {
        for (const check of checks) {
          if (check.group !== group) continue;
          const test = async (): Promise<void> => {
            const result = await checkOnce(stages, fake, check, options);
            if (result.outcome === "left out") process.stdout.write(`${formatResult(result).join("\n")}\n`);
            if (result.outcome === "failed") throw new Error(`\n${formatResult(result).join("\n")}`);
          };
          it(`${check.title} [${check.id}]`, test, timeout);
        }
      });
    }
  });
}

/** Runs every check that applies, one after the other. */
export async function checkConnector(
  subject: Subject,
  fake: NetworkFake,
  options: ConformanceOptions = {},
): Promise<Report> {
  const stages = new Stages(subject, fake, { ...settingsOf(options), sharing: true });
  const results: CheckResult[] = [];
  try {
    for (const check of selected(options)) results.push(await checkOnce(stages, fake, check, options));
  } finally {
    await stages.close();
  }
  return reportOf(`Conformance of the connector ${nameOf(subject)}`, results);
}

function selected({ only }: ConformanceOptions): readonly ConnectorCheck[] {
  if (only === undefined) return connectorChecks;
  const unknown = only.filter((name) => !connectorChecks.some((check) => isCalled(check, name)));
  if (unknown.length > 0)
    throw new RangeError(
      `There is no check ${unknown.join(", ")}. There are: ${connectorChecks.map(({ id }) => id).join(", ")}`,
    );
  return connectorChecks.filter((check) => only.some((name) => isCalled(check, name)));
}

function isCalled({ id }: ConnectorCheck, name: string): boolean {
  return id === name || id.startsWith(`${name}.`);
}

function settingsOf({
  patienceMs = usualPatienceMs,
  delivery = {},
}: ConformanceOptions): Omit<StagesOptions, "sharing"> {
  return { patienceMs, delivery };
}

function checkOnce(
  stages: Stages,
  fake: NetworkFake,
  check: ConnectorCheck,
  { except = {} }: ConformanceOptions,
): Promise<CheckResult> {
  const reason = Object.entries(except).find(([name]) => isCalled(check, name))?.[1] ?? check.without?.(fake);
  const look =
    "the fake network and the connector's start: what is said above went wrong before anything could be judged";
  return resultOf(check, (note) => (reason === undefined ? carryOut(stages, check, note) : leaveOut(reason)), look);
}

async function carryOut(stages: Stages, check: ConnectorCheck, note: Note): Promise<void> {
  const { stage, ready } = await stages.borrow(check);
  const before = { violations: stage.fake.violations?.().length ?? 0, surprises: stage.life.surprises.length };
  const uncaught: string[] = [];
  const watch = (error: unknown): void =>
    void uncaught.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.on("unhandledRejection", watch);
  let isSound = false;
  try {
    const findings = await findingsOf(async () => {
      await ready();
      await check.run(stage, note);
    });
    findings.push(...besides(stage, before, uncaught));
    if (findings.length > 0) throw new Found(findings);
    isSound = true;
  } catch (error) {
    isSound = error instanceof LeftOut;
    throw error;
  } finally {
    await stages.giveBack(check, isSound);
    process.off("unhandledRejection", watch);
  }
}

async function findingsOf(run: () => Promise<void>): Promise<Finding[]> {
  try {
    await run();
    return [];
  } catch (error) {
    if (error instanceof Found) return [...error.findings];
    throw error;
  }
}

/** How much was known already when a check began. */
interface Before {
  readonly violations: number;
  readonly surprises: number;
}

/** What went wrong beside what the check looked at. */
function besides(stage: Stage, before: Before, uncaught: readonly string[]): Finding[] {
  const violations = stage.fake.violations?.().slice(before.violations) ?? [];
  const deviations = stage.homeserver.clearSpecDeviations().filter(({ peer }) => peer === "conformance");
  return [
    ...violations.slice(0, 3).map((violation) => ({
      failed: `The bridge sent what the network's rules do not allow: ${violation}`,
      seen: "the network cuts the bridge off, or somebody's text is taken for a command",
      look: "where the connector writes to the network: everything from Matrix is hostile",
    })),
    ...[...stage.life.surprises.slice(before.surprises), ...uncaught].slice(0, 3).map((surprise) => ({
      failed: surprise,
      seen: "the bridge is gone, and everybody with it",
      look: "promises of the connector that nobody awaits",
    })),
    ...deviations.slice(0, 3).map(({ operation, problem }) => ({
      failed: `The bridge did not keep to the Matrix specification: ${operation}: ${problem}`,
      seen: "depends on the homeserver",
      look: "the content that the connector gives to `network.receive`, and the core's translation of it",
    })),
  ];
}

interface Runner extends Required<Pick<SuiteOptions, "describe" | "it">> {
  readonly after: SuiteOptions["after"];
}

function runnerOf(options: SuiteOptions): Runner {
  const describe = options.describe ?? globalFunction("describe");
  const it = options.it ?? globalFunction("it");
  if (describe === undefined || it === undefined)
    throw new TypeError(
      "This test runner has no global describe and it: give them, conformance(connector, fake, { describe, it, after }).",
    );
  return { describe, it, after: options.after ?? globalFunction("afterAll") };
}

function globalFunction(name: string): ((...args: unknown[]) => void) | undefined {
  const value: unknown = Reflect.get(globalThis, name);
  return typeof value === "function" ? (...args) => void Reflect.apply(value, undefined, args) : undefined;
}
