import { fail, Found, type Finding } from "../../report/finding.js";
import { check, type Scene, type ServiceCheck } from "../check.js";
import { errcodeOf, shown, type Probe } from "../probe.js";
import { sections } from "../sections.js";

const { look } = sections.robustness;

/** Sends bodies that are wrong; the service may refuse them, but must stay. */
async function survive(probe: Probe, bodies: Readonly<Record<string, string | Buffer>>): Promise<void> {
  const findings: Finding[] = [];
  for (const [what, body] of Object.entries(bodies)) {
    try {
      const answer = await probe.push(body, { spoiled: true, section: "robustness" });
      if (answer.status >= 500)
        findings.push({
          failed: `A transaction whose body is ${what} is answered ${answer.status} ${shown(answer.text)}; 400 or 413 was expected, or 200.`,
          seen: "one bad transaction is sent again for ever, and everything behind it waits",
          look,
        });
    } catch (error) {
      if (!(error instanceof Found)) throw error;
      findings.push(...error.findings.map((each) => ({ ...each, failed: `A body that is ${what}: ${each.failed}` })));
    }
    await probe.expectAlive(`a body that is ${what}`);
  }
  if (findings.length > 0) throw new Found(findings);
}

async function malformed({ probe }: Scene): Promise<void> {
  await survive(probe, {
    "no JSON": "{",
    empty: "",
    "not UTF-8": Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
    NUL: Buffer.alloc(64),
    "an array": "[]",
    "a text": '"events"',
    null: "null",
    "nested 100 000 deep": `${'{"events":['.repeat(10_000)}${"[".repeat(90_000)}`,
  });
}

async function wrongTypes({ probe }: Scene): Promise<void> {
  await survive(probe, {
    "without events": "{}",
    "events that are an object": '{"events":{}}',
    "events that are null": '{"events":null}',
    "events that are a text": '{"events":"all"}',
    "with __proto__": '{"events":[],"__proto__":{"events":1},"constructor":null}',
    "ephemeral data that is a number": '{"events":[],"ephemeral":5}',
  });
}

/** A transaction in which one event is none: its neighbours must not suffer. */
async function poison({ probe }: Scene): Promise<void> {
  const half = "\ud800";
  const poisons: Readonly<Record<string, unknown>> = {
    null: null,
    "a text": "event",
    "without anything": {},
    "without content": probe.message({ content: undefined }),
    "with content that is a list": probe.message({ content: [] }),
    "with a room id that is a number": probe.message({ room_id: 5 }),
    "with a sender that is an object": probe.message({ sender: {} }),
    "with a type that is null": probe.message({ type: null }),
    "with a state key that is a number": probe.message({ type: "m.room.member", state_key: 1 }),
    "with a body that is a number": probe.message({ content: { msgtype: "m.text", body: 1 } }),
    "with half a pair of surrogates": probe.message({ content: { msgtype: "m.text", body: half } }),
    "with NUL": probe.message({ content: { msgtype: "m.text", body: "a\u0000b" } }),
    "of a type 100 000 letters long": probe.message({ type: "x".repeat(100_000) }),
  };
  const findings: Finding[] = [];
  for (const [what, event] of Object.entries(poisons)) {
    const answer = await probe.push(
      { events: [probe.message(), event, probe.message()] },
      { spoiled: true, section: "robustness" },
    );
    if (answer.status !== 200)
      findings.push({
        failed: `A transaction with two good events and one that is ${what} is answered ${answer.status} ${shown(answer.text)}.`,
        seen: "one bad event holds up everything behind it, for ever",
        look: "each event of a transaction must be judged alone: put the bad one aside and answer 200",
      });
    await probe.expectAlive(`an event that is ${what}`);
  }
  if (findings.length > 0) throw new Found(findings);
}

async function tooLarge({ probe }: Scene): Promise<void> {
  const events = `{"events":[{"type":"x","content":{"body":"${"x".repeat(17 * 1024 * 1024)}"}}]}`;
  await survive(probe, { "17 MiB long": events });
}

async function notJson({ probe }: Scene): Promise<void> {
  const answer = await probe.push("{", { spoiled: true, section: "robustness" });
  if (answer.status !== 400 || errcodeOf(answer) === undefined)
    fail({
      failed: `A transaction that is no JSON is answered ${answer.status} ${shown(answer.text)}; 400 with an errcode (M_NOT_JSON) was expected.`,
      seen: "a homeserver's admin cannot tell what is wrong",
      look,
    });
}

async function paths({ probe }: Scene): Promise<void> {
  const findings: Finding[] = [];
  for (const path of [
    "/users/%ZZ",
    "/users/%",
    "/rooms/%C3%28",
    "/users/%00",
    `/users/${"x".repeat(8_000)}`,
    "/rooms/",
    "/transactions/",
  ]) {
    const method = path.startsWith("/transactions") ? "PUT" : "GET";
    const answer = await probe.ask(method, `/_matrix/app/v1${path}`, { section: "robustness", spoiled: true });
    if (answer.status >= 500)
      findings.push({
        failed: `${method} ${shown(path)} is answered ${answer.status} ${shown(answer.text)}.`,
        seen: "errors in a log that tell nothing",
        look,
      });
  }
  await probe.expectAlive("paths that are not properly encoded");
  if (findings.length > 0) throw new Found(findings);
}

async function noInnards({ probe }: Scene): Promise<void> {
  const answers = [
    await probe.push("{", { spoiled: true, section: "robustness" }),
    await probe.ask("GET", "/_matrix/app/v1/users/%ZZ", { section: "robustness", spoiled: true }),
  ];
  for (const { text } of answers) {
    const trace = /\n? +at \S+|&nbsp;at |Traceback \(most recent|node_modules\/|goroutine \d/.exec(text)?.[0];
    if (trace !== undefined)
      fail({
        failed: `An answer to bad input shows the inside of the service: ${shown(text)}.`,
        seen: "paths and versions, for whoever looks for a way in",
        look: "the error pages of the service's web framework",
      });
  }
}

export const badInputChecks: readonly ServiceCheck[] = [
  check("robustness", "malformed", "must", "A body that is no JSON object ends nothing", malformed),
  check("robustness", "types", "must", "Wrong types in a transaction end nothing", wrongTypes),
  check("robustness", "poison", "must", "An event that is none does not hold up its neighbours", poison),
  check("robustness", "large", "must", "A body of more than 16 MiB ends nothing", tooLarge),
  check("robustness", "paths", "must", "Paths that are not properly encoded end nothing", paths),
  check("robustness", "not-json", "should", "No JSON is 400 with an errcode", notJson),
  check("robustness", "innards", "should", "Errors do not show the inside of the service", noInnards),
];
