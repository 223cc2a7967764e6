import type { Homeserver } from "@trestle/testkit";
import { Found, leaveOut, type Finding } from "../report/finding.js";
import { reportOf, resultOf, type CheckResult, type Report } from "../report/report.js";
import type { Scene, ServiceCheck } from "./check.js";
import { authorizationChecks } from "./checks/authorization.js";
import { badInputChecks } from "./checks/bad-input.js";
import { homeserverChecks } from "./checks/homeserver.js";
import { queryChecks } from "./checks/queries.js";
import { restartChecks } from "./checks/restart.js";
import { transactionChecks } from "./checks/transactions.js";
import { listens } from "./exchange.js";
import { Probe } from "./probe.js";
import { sections, type Section } from "./sections.js";
import { readServiceRegistration, serverNameOf } from "./target.js";

export interface ServiceOptions {
  /** Where the service listens. */
  readonly url: string;
  /** Its registration, as it came out of the file. */
  readonly registration: unknown;
  /** The homeserver's name; what the namespaces name, or `localhost.test`, where absent. */
  readonly serverName?: string;
  /** The homeserver that the service talks to, where it is the test kit's and knows the service. */
  readonly homeserver?: Homeserver;
  /** Restarts the service; resolves when the command has ended. */
  readonly restart?: () => Promise<void>;
  /** Only checks whose id is one of these, or begins with one and a dot (`authorization`). */
  readonly only?: readonly string[];
  /** How long one request may take, in milliseconds; 20 000 where absent. */
  readonly timeoutMs?: number;
  /** Called with every result as it comes. */
  readonly onResult?: (result: CheckResult) => void;
}

const order: readonly Section[] = [
  "authorization",
  "transactions",
  "ephemeral",
  "ping",
  "querying",
  "thirdParty",
  "routes",
  "legacy",
  "robustness",
  "restart",
];

/** Nothing listens where the service should be. */
export class ServiceAway extends Error {
  override readonly name = "ServiceAway";
}

/** How long a service that has died may take to be back. */
const comebackMs = 10_000;

function gone(results: readonly CheckResult[]): string {
  const last = results.findLast(({ outcome }) => outcome === "failed");
  return `nothing listens any more${last ? `, since [${last.id}]` : ""}: the service has died, and was not started again`;
}

/** Every check of an application service, by section. */
export const serviceChecks: readonly ServiceCheck[] = [
  ...authorizationChecks,
  ...transactionChecks,
  ...homeserverChecks,
  ...queryChecks,
  ...badInputChecks,
  ...restartChecks,
].sort((a, b) => order.indexOf(a.section) - order.indexOf(b.section));

/**
 * Examines an application service from outside, in the place of its homeserver. What it sends are events of a room that
 * does not exist.
 *
 * @throws TypeError where the registration lacks a key; RangeError where `only` names no check; ServiceAway where nothing listens
 */
export async function checkService(options: ServiceOptions): Promise<Report> {
  const registration = readServiceRegistration(options.registration);
  const serverName = options.serverName ?? serverNameOf(registration) ?? "localhost.test";
  const probe = new Probe(options.url, registration, serverName, options.timeoutMs ?? 20_000);
  if (!(await listens(options.url, comebackMs))) throw new ServiceAway(`Nothing listens at ${options.url}.`);
  const results: CheckResult[] = [];
  for (const check of selected(options.only)) {
    const result = await resultOf(
      check,
      async (note) => {
        if (!(await listens(options.url, comebackMs))) leaveOut(gone(results));
        await carryOut(check, { probe, homeserver: options.homeserver, restart: options.restart, note });
      },
      sections[check.section].look,
    );
    options.onResult?.(result);
    results.push(result);
  }
  const schemas = probe.validates
    ? ""
    : " (the specification's schemas are not here: answers were looked at by hand alone)";
  return reportOf(`Conformance of the application service ${registration.id} at ${options.url}${schemas}`, results);
}

function selected(only: readonly string[] | undefined): readonly ServiceCheck[] {
  if (only === undefined) return serviceChecks;
  const isCalled = ({ id }: ServiceCheck, name: string): boolean => id === name || id.startsWith(`${name}.`);
  const unknown = only.filter((name) => !serviceChecks.some((check) => isCalled(check, name)));
  if (unknown.length > 0)
    throw new RangeError(
      `There is no check ${unknown.join(", ")}. There are: ${serviceChecks.map(({ id }) => id).join(", ")}`,
    );
  return serviceChecks.filter((check) => only.some((name) => isCalled(check, name)));
}

/** What deviates from the schemas is found beside what the check looks for. */
async function carryOut(check: ServiceCheck, scene: Scene): Promise<void> {
  const findings: Finding[] = [];
  scene.probe.takeDeviations();
  try {
    await check.run(scene);
  } catch (error) {
    if (!(error instanceof Found)) throw error;
    findings.push(...error.findings);
  }
  // What is said to bad input is looked at by the checks themselves.
  const deviations = scene.probe
    .takeDeviations()
    .filter(({ status }) => check.section !== "robustness" || status < 400);
  const problems = new Map(deviations.map((each) => [`${each.operation} ${each.status}: ${each.problem}`, each]));
  if (findings.length === 0) {
    for (const [text, { side }] of [...problems].slice(0, 3))
      findings.push({
        failed: `${side === "response" ? "An answer" : "A request of the suite itself"} deviates from the specification's schema: ${text}.`,
        seen: side === "response" ? "depends on the homeserver" : "nothing; this is a defect of the suite",
        look: sections[check.section].look,
      });
  }
  if (findings.length > 0) throw new Found(findings);
}
