import { afterEach, describe, expect, it } from "@jest/globals";
import { checkService, formatReport, readServiceRegistration, serverNameOf, type Report } from "@trestle/conformance";
import { bodyOf, SmallService, type Misbehaviour } from "./support/small-service.js";
import { patiently } from "../../../test/support/bounded.js";

let service: SmallService | undefined;
afterEach(async () => {
  await service?.stop();
  service = undefined;
});

async function examine(
  misbehave: Misbehaviour | undefined,
  only?: readonly string[],
  timeoutMs = 2_000,
): Promise<Report> {
  service = new SmallService(misbehave);
  await service.start();
  const { url, registration } = service;
  return checkService({ url, registration, timeoutMs, ...(only && { only }) });
}

interface Planted {
  readonly fault: string;
  readonly misbehave: Misbehaviour;
  readonly caughtBy: string;
  readonly words: RegExp;
}

const ok = { status: 200, body: {} };
const isPush = (path: string): boolean => path.startsWith("/transactions/");
const right = "the-hs-token-of-the-small-service";
const seen = new Set<string>();

const planted: readonly Planted[] = [
  {
    fault: "lets everybody in",
    misbehave: ({ path }) => (isPush(path) ? ok : undefined),
    caughtBy: "authorization.wrong",
    words: /With another token, a transaction is answered 200; 401 or 403/,
  },
  {
    fault: "lets in whoever has no token",
    misbehave: ({ header, query }) => (header === undefined && !query.has("access_token") ? ok : undefined),
    caughtBy: "authorization.missing",
    words: /With no token, a transaction is answered 200/,
  },
  {
    fault: "compares the beginning of the token alone",
    misbehave: ({ header, path }) =>
      isPush(path) && header !== undefined && header !== "" && right.startsWith(header) ? ok : undefined,
    caughtBy: "authorization.wrong",
    words: /With the first half of the token/,
  },
  {
    fault: "takes the as_token",
    misbehave: ({ header }) => (header === "the as_token of the small service" ? ok : undefined),
    caughtBy: "authorization.wrong",
    words: /With the as_token/,
  },
  {
    fault: "looks at the header alone",
    misbehave: ({ header, path }) => (isPush(path) && header === right ? ok : undefined),
    caughtBy: "authorization.disagree",
    words: /right token in the header and a wrong one in the query/,
  },
  {
    fault: "looks at the query alone",
    misbehave: ({ header, query }) =>
      header === right && !query.has("access_token")
        ? { status: 401, body: { errcode: "M_MISSING_TOKEN", error: "" } }
        : undefined,
    caughtBy: "authorization.header",
    words: /right token in the header.*401.*nothing from any homeserver/s,
  },
  {
    fault: "knows no token in the query",
    misbehave: ({ header }) =>
      header === undefined ? { status: 401, body: { errcode: "M_MISSING_TOKEN", error: "" } } : undefined,
    caughtBy: "authorization.query",
    words: /Construct/,
  },
  {
    fault: "guards transactions alone",
    misbehave: ({ path }) =>
      path.startsWith("/users/") ? { status: 404, body: { errcode: "M_NOT_FOUND", error: "" } } : undefined,
    caughtBy: "authorization.wrong",
    words: /a user query is answered 404/,
  },
  {
    fault: "refuses without a reason",
    misbehave: ({ header }) => (header === "wrong" ? { status: 401, body: {} } : undefined),
    caughtBy: "authorization.refusal",
    words: /403 with an errcode/,
  },
  {
    fault: "answers in plain text",
    misbehave: ({ path }) => (isPush(path) ? { status: 200, raw: "OK", contentType: "text/plain" } : undefined),
    caughtBy: "transactions.empty",
    words: /200 with OK, which is no JSON object/,
  },
  {
    fault: "answers JSON as text",
    misbehave: ({ path }) => (isPush(path) ? { ...ok, contentType: "text/html" } : undefined),
    caughtBy: "transactions.content-type",
    words: /content type text\/html/,
  },
  {
    fault: "answers 204",
    misbehave: ({ path }) => (isPush(path) ? { status: 204, raw: "" } : undefined),
    caughtBy: "transactions.empty",
    words: /answered 204.*sends it again for ever/s,
  },
  {
    fault: "refuses fields it does not know",
    misbehave: (asked) =>
      Object.keys(bodyOf(asked)).some((key) => key.includes("extension"))
        ? { status: 400, body: { errcode: "M_BAD_JSON", error: "" } }
        : undefined,
    caughtBy: "transactions.fields",
    words: /fields that are not in the specification is answered 400/,
  },
  {
    fault: "refuses events it does not know",
    misbehave: ({ text }) => (text.includes("org.example.unknown") ? { status: 500, body: {} } : undefined),
    caughtBy: "transactions.kinds",
    words: /events of every kind is answered 500/,
  },
  {
    fault: "refuses a transaction that it had",
    misbehave: ({ path }) => {
      const again = isPush(path) && seen.has(path);
      seen.add(path);
      return again ? { status: 409, body: { errcode: "M_UNKNOWN", error: "again" } } : undefined;
    },
    caughtBy: "transactions.duplicate",
    words: /a second time, after it was answered, is answered 409/,
  },
  {
    fault: "splits paths at every slash",
    misbehave: ({ path }) =>
      isPush(path) && path.includes("%2F")
        ? { status: 404, body: { errcode: "M_UNRECOGNIZED", error: "" } }
        : undefined,
    caughtBy: "transactions.ids",
    words: /with the id a b%\/\?#ü is answered 404/,
  },
  {
    fault: "takes 1 MB at most",
    misbehave: ({ bytes }) => (bytes > 1e6 ? { status: 413, body: { errcode: "M_TOO_LARGE", error: "" } } : undefined),
    caughtBy: "transactions.large",
    words: /100 events of 60 kB, 6 MB together, is answered 413/,
  },
  {
    fault: "falls over ephemeral data",
    misbehave: (asked) => (bodyOf(asked)["ephemeral"] ? { status: 500, body: {} } : undefined),
    caughtBy: "ephemeral.spellings",
    words: /Ephemeral data under the stable key is answered 500/,
  },
  {
    fault: "has no ping",
    misbehave: ({ path }) =>
      path === "/ping" ? { status: 404, body: { errcode: "M_UNRECOGNIZED", error: "" } } : undefined,
    caughtBy: "ping.answer",
    words: /ping with a transaction id is answered 404.*unreachable/s,
  },
  {
    fault: "never answers a query",
    misbehave: ({ path }) => (path.startsWith("/users/") ? "silence" : undefined),
    caughtBy: "querying.user",
    words: /never answered: nothing came within 2 s/,
  },
  {
    fault: "says that everybody exists",
    misbehave: ({ path }) => (path.startsWith("/users/") ? ok : undefined),
    caughtBy: "querying.stranger",
    words: /user of another homeserver.*is answered 200/,
  },
  {
    fault: "fails at an alias",
    misbehave: ({ path }) =>
      path.startsWith("/rooms/") ? { status: 500, raw: "<h1>500</h1>", contentType: "text/html" } : undefined,
    caughtBy: "querying.alias",
    words: /query for the alias #small_nowhere\S+ is answered 500 <h1>500/,
  },
  {
    fault: "does not know its own protocol",
    misbehave: ({ path }) =>
      path === "/thirdparty/protocol/small" ? { status: 404, body: { errcode: "M_NOT_FOUND", error: "" } } : undefined,
    caughtBy: "thirdParty.protocols",
    words: /protocol small, which the registration names, is answered 404/,
  },
  {
    fault: "speaks every protocol",
    misbehave: ({ path }) => (path.startsWith("/thirdparty/user/") ? { status: 200, body: [] } : undefined),
    caughtBy: "thirdParty.unknown",
    words: /protocol that nobody speaks is answered 200/,
  },
  {
    fault: "has no reverse look-up",
    misbehave: ({ path }) => (path === "/thirdparty/user" ? { status: 500, body: {} } : undefined),
    caughtBy: "thirdParty.reverse",
    words: /reverse look-up of a user is answered 500/,
  },
  {
    fault: "answers unknown paths in HTML",
    misbehave: ({ path }) =>
      path === "/conformance" ? { status: 404, raw: "<h1>no</h1>", contentType: "text/html" } : undefined,
    caughtBy: "routes.unknown",
    words: /404 <h1>no<\/h1>; 404 with M_UNRECOGNIZED was expected/,
  },
  {
    fault: "knows no 405",
    misbehave: ({ path, method }) =>
      isPush(path) && method === "POST" ? { status: 404, body: { errcode: "M_UNRECOGNIZED", error: "" } } : undefined,
    caughtBy: "routes.method",
    words: /405 with M_UNRECOGNIZED was expected/,
  },
  {
    fault: "knows no old paths",
    misbehave: ({ legacy }) => (legacy ? { status: 404, body: { errcode: "M_UNRECOGNIZED", error: "" } } : undefined),
    caughtBy: "legacy.paths",
    words: /PUT \/transactions without the prefix is answered 404/,
  },
  {
    fault: "breaks off where a body is no JSON",
    misbehave: ({ text }) => (text === "{" ? "death" : undefined),
    caughtBy: "robustness.malformed",
    words: /body that is no JSON: PUT \S+ was never answered: socket hang up/,
  },
  {
    fault: "fails at wrong types",
    misbehave: ({ text }) => (text === '{"events":null}' ? { status: 500, body: {} } : undefined),
    caughtBy: "robustness.types",
    words: /events that are null is answered 500/,
  },
  {
    fault: "refuses the neighbours of a bad event",
    misbehave: (asked) =>
      Array.isArray(bodyOf(asked)["events"]) && JSON.stringify(bodyOf(asked)["events"]).includes(",null,")
        ? { status: 400, body: { errcode: "M_BAD_JSON", error: "" } }
        : undefined,
    caughtBy: "robustness.poison",
    words: /two good events and one that is null is answered 400.*one bad event holds up everything/s,
  },
  {
    fault: "chokes on a large body",
    misbehave: ({ bytes }) => (bytes > 16e6 ? "silence" : undefined),
    caughtBy: "robustness.large",
    words: /17 MiB long: PUT \S+ was never answered/,
  },
  {
    fault: "fails at a badly encoded path",
    misbehave: ({ path }) => (path.includes("%ZZ") ? { status: 500, body: {} } : undefined),
    caughtBy: "robustness.paths",
    words: /GET \S+%ZZ is answered 500/,
  },
  {
    fault: "calls no JSON a success",
    misbehave: ({ text }) => (text === "{" ? ok : undefined),
    caughtBy: "robustness.not-json",
    words: /400 with an errcode \(M_NOT_JSON\)/,
  },
  {
    fault: "shows its stack",
    misbehave: ({ text }) =>
      text === "{"
        ? { status: 400, raw: "SyntaxError: x\n    at JSON.parse (<anonymous>)", contentType: "text/html" }
        : undefined,
    caughtBy: "robustness.innards",
    words: /shows the inside of the service/,
  },
];

describe("a small application service", () => {
  it("that is right passes every check that applies", async () => {
    const report = await examine(undefined, undefined, patiently(2_000));
    expect(formatReport(report)).not.toMatch(/✗/);
    expect(report.ok).toBe(true);
    expect(report.results.filter(({ outcome }) => outcome === "passed").length).toBeGreaterThan(30);
  }, 60_000);

  it.each(planted.map((each) => [each.fault, each] as const))(
    "that %s is caught, and told what is wrong",
    async (_fault, { misbehave, caughtBy, words }) => {
      const report = await examine(misbehave, [caughtBy]);
      expect(formatReport(report)).toMatch(words);
      expect(report.results[0]?.outcome).toBe("failed");
    },
    60_000,
  );

  it("that is not there is said to be away", async () => {
    service = new SmallService();
    await service.start();
    const { url, registration } = service;
    await service.stop();
    await expect(checkService({ url, registration, only: ["ping.answer"] })).rejects.toMatchObject({
      name: "ServiceAway",
    });
  }, 60_000);
});

describe("a registration", () => {
  it.each(["id", "hs_token", "as_token", "sender_localpart"])("without %s is refused by name", (key) => {
    const { registration } = new SmallService();
    expect(() => readServiceRegistration({ ...registration, [key]: undefined })).toThrow(new RegExp(`no ${key}`));
  });

  it.each([
    ["^@irc_.*:example\\.org$", "example.org"],
    ["@_bot_.*:botsdk.test", "botsdk.test"],
    ["^@x_.+:localhost:8448$", "localhost:8448"],
    ["@anything.*", undefined],
    ["^@x_.*:.*$", undefined],
  ])("with the users %s is of the server %s", (regex, name) => {
    const { registration } = new SmallService();
    const namespaces = { users: [{ exclusive: true, regex }] };
    expect(serverNameOf(readServiceRegistration({ ...registration, namespaces }))).toBe(name);
  });
});
