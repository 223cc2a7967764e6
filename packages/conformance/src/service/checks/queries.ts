import { fail, leaveOut } from "../../report/finding.js";
import type { Answer } from "../exchange.js";
import { check, type Scene, type ServiceCheck } from "../check.js";
import { errcodeOf, isObject, shown } from "../probe.js";
import { sections, type Section } from "../sections.js";
import { exampleOf } from "../target.js";

function expectOneOf(answer: Answer, statuses: readonly number[], what: string, section: Section): void {
  if (statuses.includes(answer.status)) return;
  fail({
    failed: `${what} is answered ${answer.status} ${shown(answer.text)}; ${statuses.join(" or ")} was expected.`,
    seen: sections[section].seen,
    look: sections[section].look,
  });
}

async function ping({ probe }: Scene): Promise<void> {
  for (const [what, body] of [
    ["A ping with a transaction id", { transaction_id: probe.unique("p") }],
    ["A ping", {}],
  ] as const) {
    const answer = await probe.ask("POST", "/_matrix/app/v1/ping", { section: "ping", body });
    expectOneOf(answer, [200], what, "ping");
    if (!isObject(answer.json))
      fail({
        failed: `${what} is answered 200 ${shown(answer.text)}; a JSON object was expected.`,
        seen: "the homeserver takes it for unreachable",
        look: sections.ping.look,
      });
  }
}

async function user({ probe, homeserver, note }: Scene): Promise<void> {
  const { registration, serverName } = probe;
  const id = exampleOf(registration.users, "@", probe.unique("nobody"), serverName);
  if (id === undefined) leaveOut("no example of a user can be made of the registration's namespaces");
  const answer = await probe.get(`/users/${encodeURIComponent(id)}`, { section: "querying" });
  expectOneOf(answer, [200, 404], `The query for the user ${id}`, "querying");
  if (answer.status !== 200) return;
  if (homeserver === undefined)
    note(`the service says that ${id} exists; whether it has made it cannot be seen without --homeserver-port`);
  else if (!homeserver.userIds().includes(id))
    fail({
      failed: `The service says that the user ${id} exists, but has not made it on the homeserver.`,
      seen: "an invitation to somebody who is not there",
      look: `${sections.querying.look} (on 200 the service MUST have created the user)`,
    });
}

async function stranger({ probe }: Scene): Promise<void> {
  const id = `@${probe.unique("stranger")}:elsewhere.example`;
  const answer = await probe.get(`/users/${encodeURIComponent(id)}`, { section: "querying" });
  expectOneOf(answer, [404], `The query for a user of another homeserver, ${id},`, "querying");
}

async function alias({ probe, homeserver, note }: Scene): Promise<void> {
  const { registration, serverName } = probe;
  const id =
    exampleOf(registration.aliases, "#", probe.unique("nowhere"), serverName) ??
    `#${probe.unique("nowhere")}:${serverName}`;
  const answer = await probe.get(`/rooms/${encodeURIComponent(id)}`, { section: "querying" });
  expectOneOf(answer, [200, 404], `The query for the alias ${id}`, "querying");
  if (answer.status !== 200) return;
  if (homeserver === undefined)
    note(`the service says that ${id} exists; whether it has made it cannot be seen without --homeserver-port`);
  else if (homeserver.roomIdOfAlias(id) === undefined)
    fail({
      failed: `The service says that the alias ${id} exists, but has not made it on the homeserver.`,
      seen: "a room that cannot be joined",
      look: `${sections.querying.look} (on 200 the service MUST have created the room and its alias)`,
    });
}

async function protocols({ probe }: Scene): Promise<void> {
  if (probe.registration.protocols.length === 0) leaveOut("the registration names no protocols");
  for (const protocol of probe.registration.protocols) {
    const name = encodeURIComponent(protocol);
    const answer = await probe.get(`/thirdparty/protocol/${name}`, { section: "thirdParty" });
    expectOneOf(answer, [200], `The protocol ${protocol}, which the registration names,`, "thirdParty");
    for (const kind of ["user", "location"]) {
      const found = await probe.get(`/thirdparty/${kind}/${name}`, {
        section: "thirdParty",
        parameters: { conformance: probe.unique() },
      });
      expectOneOf(found, [200, 404], `The look-up of a ${kind} of ${protocol} that does not exist`, "thirdParty");
    }
  }
}

async function otherProtocol({ probe }: Scene): Promise<void> {
  for (const path of ["protocol", "user", "location"]) {
    const answer = await probe.get(`/thirdparty/${path}/${probe.unique("protocol")}`, { section: "thirdParty" });
    expectOneOf(answer, [404], `The look-up of a ${path} of a protocol that nobody speaks`, "thirdParty");
  }
}

async function reverse({ probe }: Scene): Promise<void> {
  const lookups = [
    ["user", { userid: `@${probe.unique("nobody")}:${probe.serverName}` }],
    ["location", { alias: `#${probe.unique("nowhere")}:${probe.serverName}` }],
  ] as const;
  for (const [path, parameters] of lookups) {
    const answer = await probe.get(`/thirdparty/${path}`, { section: "thirdParty", parameters });
    expectOneOf(answer, [200, 404], `The reverse look-up of a ${path}`, "thirdParty");
  }
}

function expectUnrecognized(answer: Answer, status: 404 | 405, what: string): void {
  if (answer.status === status && errcodeOf(answer) === "M_UNRECOGNIZED") return;
  fail({
    failed: `${what} is answered ${answer.status} ${shown(answer.text)}; ${status} with M_UNRECOGNIZED was expected.`,
    seen: "a homeserver cannot tell what the service does not know from what does not exist",
    look: sections.routes.look,
  });
}

async function unknownRoute({ probe }: Scene): Promise<void> {
  for (const [method, path] of [
    ["GET", "/_matrix/app/v1/conformance"],
    ["POST", "/_matrix/app/v9/ping"],
    ["GET", "/_matrix/app/v1"],
  ] as const) {
    const answer = await probe.ask(method, path, { section: "routes", spoiled: true });
    expectUnrecognized(answer, 404, `${method} ${path}`);
  }
}

async function unknownMethod({ probe }: Scene): Promise<void> {
  for (const [method, path] of [
    ["POST", "/transactions/1"],
    ["GET", "/transactions/1"],
    ["DELETE", "/users/@a:b"],
    ["GET", "/ping"],
  ] as const) {
    const answer = await probe.ask(method, `/_matrix/app/v1${path}`, { section: "routes", spoiled: true });
    expectUnrecognized(answer, 405, `${method} ${path}`);
  }
}

async function unstable({ probe }: Scene): Promise<void> {
  for (const path of ["org.matrix.msc3983/keys/claim", "org.matrix.msc3984/keys/query"]) {
    const answer = await probe.ask("POST", `/_matrix/app/unstable/${path}`, {
      section: "routes",
      spoiled: true,
      body: {},
    });
    if (answer.status !== 200)
      expectUnrecognized(answer, 404, `POST /_matrix/app/unstable/${path}, which Synapse asks,`);
  }
}

async function legacy({ probe }: Scene): Promise<void> {
  const push = await probe.ask("PUT", `/transactions/${probe.unique("t")}`, {
    section: "legacy",
    body: { events: [] },
  });
  expectOneOf(push, [200], "PUT /transactions without the prefix", "legacy");
  for (const path of [
    `/users/${encodeURIComponent(`@nobody:${probe.serverName}`)}`,
    `/rooms/${encodeURIComponent(`#nowhere:${probe.serverName}`)}`,
  ]) {
    const answer = await probe.ask("GET", path, { section: "legacy" });
    if (answer.status === 404 && errcodeOf(answer) === "M_UNRECOGNIZED")
      expectOneOf(
        { ...answer, status: 0 },
        [200, 404],
        `GET ${path} without the prefix, which is not recognised,`,
        "legacy",
      );
    expectOneOf(answer, [200, 404], `GET ${path} without the prefix`, "legacy");
  }
}

export const queryChecks: readonly ServiceCheck[] = [
  check("ping", "answer", "must", "A ping is answered", ping),
  check("querying", "user", "must", "The query for a user says whether it exists", user),
  check("querying", "stranger", "should", "The query for a user of another homeserver is 404", stranger),
  check("querying", "alias", "must", "The query for an alias says whether it exists", alias),
  check("thirdParty", "protocols", "must", "The protocols of the registration are described", protocols),
  check("thirdParty", "unknown", "should", "A protocol that nobody speaks is 404", otherProtocol),
  check("thirdParty", "reverse", "must", "Reverse look-ups are answered", reverse),
  check("routes", "unknown", "must", "An unknown path is 404 M_UNRECOGNIZED", unknownRoute),
  check("routes", "method", "must", "A known path with another method is 405 M_UNRECOGNIZED", unknownMethod),
  check(
    "routes",
    "unstable",
    "should",
    "What Synapse asks under unstable paths is answered, or 404 M_UNRECOGNIZED",
    unstable,
  ),
  check("legacy", "paths", "should", "The paths of the first specification still work", legacy),
];
