import { fail, Found } from "../../report/finding.js";
import { check, type Scene, type ServiceCheck } from "../check.js";
import { errcodeOf, shown, type Credentials, type Probe } from "../probe.js";
import type { Answer } from "../exchange.js";
import { sections } from "../sections.js";

const { look } = sections.authorization;

/** Each kind of request with a token; what is refused on one must be refused on all. */
async function askAll(probe: Probe, credentials: Credentials): Promise<readonly (readonly [string, Answer])[]> {
  const options = { section: "authorization", ...credentials } as const;
  const user = encodeURIComponent(`@nobody:${probe.serverName}`);
  const alias = encodeURIComponent(`#nowhere:${probe.serverName}`);
  return [
    ["a transaction", await orSilence(probe.push({ events: [] }, options))],
    ["a ping", await orSilence(probe.ask("POST", "/_matrix/app/v1/ping", { ...options, body: {} }))],
    ["a user query", await orSilence(probe.get(`/users/${user}`, options))],
    ["an alias query", await orSilence(probe.get(`/rooms/${alias}`, options))],
  ];
}

/** A request that is never answered was not refused. */
async function orSilence(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Found) return { status: 0, contentType: "", text: "", json: undefined };
    throw error;
  }
}

function inWords([name, { status }]: readonly [string, Answer]): string {
  return status === 0 ? `${name} is not refused (it is never answered)` : `${name} is answered ${status}`;
}

const isRefused = ({ status }: Answer): boolean => status === 401 || status === 403;

async function expectRefused(
  probe: Probe,
  credentials: Credentials,
  what: string,
): Promise<readonly (readonly [string, Answer])[]> {
  const answers = await askAll(probe, credentials);
  // What the service does not have at all (a ping before v1.7) lets nobody in.
  const open = answers.filter(
    ([, answer]) => !isRefused(answer) && !(answer.status === 404 && errcodeOf(answer) === "M_UNRECOGNIZED"),
  );
  if (open.length > 0)
    fail({
      failed: `With ${what}, ${open.map(inWords).join(", ")}; 401 or 403 was expected.`,
      seen: "whoever reaches the port can say anything in anybody's name",
      look,
    });
  return answers.filter(([, answer]) => isRefused(answer));
}

async function wrongTokens({ probe }: Scene): Promise<void> {
  const { hsToken, asToken } = probe.registration;
  const wrong: readonly (readonly [string, string])[] = [
    ["another token", "x".repeat(hsToken.length)],
    ["the first half of the token", hsToken.slice(0, Math.ceil(hsToken.length / 2))],
    ["the token and one more letter", `${hsToken}x`],
    ["the as_token", asToken],
    ["an empty token", ""],
  ];
  for (const [what, header] of wrong) await expectRefused(probe, { header }, what);
}

async function refusals({ probe }: Scene): Promise<void> {
  const answers = await expectRefused(probe, { header: "wrong" }, "a wrong token");
  const odd = answers.filter(([, answer]) => answer.status !== 403 || errcodeOf(answer) === undefined);
  const [first] = odd;
  if (first)
    fail({
      failed: `With a wrong token ${first[0]} is answered ${first[1].status} ${shown(first[1].text)}; 403 with an errcode (M_FORBIDDEN) was expected.`,
      seen: "a homeserver's admin sees a wrong reason in the log",
      look,
    });
}

async function missing({ probe }: Scene): Promise<void> {
  await expectRefused(probe, { header: false }, "no token");
}

async function disagreeing({ probe }: Scene): Promise<void> {
  const { hsToken } = probe.registration;
  await expectRefused(
    probe,
    { header: hsToken, query: "wrong" },
    "the right token in the header and a wrong one in the query",
  );
  await expectRefused(
    probe,
    { header: "wrong", query: hsToken },
    "a wrong token in the header and the right one in the query",
  );
}

async function expectIn(probe: Probe, credentials: Credentials, what: string, who: string): Promise<void> {
  const { status, text } = await probe.push({ events: [] }, { ...credentials, section: "authorization" });
  if (status !== 200)
    fail({
      failed: `With ${what}, a transaction is answered ${status} ${shown(text)}.`,
      seen: `nothing from ${who} reaches the bridge`,
      look,
    });
}

async function header({ probe }: Scene): Promise<void> {
  await expectIn(probe, {}, "the right token in the header", "any homeserver of today");
}

async function query({ probe }: Scene): Promise<void> {
  await expectIn(
    probe,
    { header: false, query: probe.registration.hsToken },
    "the right token in the query alone",
    "homeservers that know no other way (Construct, Synapse with use_appservice_legacy_authorization)",
  );
}

async function both({ probe }: Scene): Promise<void> {
  await expectIn(
    probe,
    { query: probe.registration.hsToken },
    "the right token in header and query",
    "tuwunel, which sends both,",
  );
}

export const authorizationChecks: readonly ServiceCheck[] = [
  check("authorization", "header", "must", "The token of the registration in the header lets in", header),
  check("authorization", "wrong", "must", "A wrong token is refused: every request, every kind of wrong", wrongTokens),
  check("authorization", "missing", "must", "No token is refused", missing),
  check("authorization", "disagree", "must", "Header and query that disagree are refused", disagreeing),
  check("authorization", "both", "should", "The token in header and query lets in", both),
  check("authorization", "query", "should", "The token in the query alone lets in", query),
  check("authorization", "refusal", "should", "A refusal is 403 with an errcode", refusals),
];
