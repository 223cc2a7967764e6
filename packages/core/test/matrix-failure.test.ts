import { describe, expect, it } from "@jest/globals";
import { classify, type Classification } from "../dist/matrix/failure.js";
import type { MatrixFailure } from "../dist/matrix/result.js";

const answered = (status: number, errcode: string, message = "no", retryAfterMs?: number): MatrixFailure => ({
  kind: "answered",
  status,
  errcode,
  message,
  body: { errcode, error: message },
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});

const page = (status: number): MatrixFailure => ({ kind: "answered", status, errcode: "M_UNKNOWN", message: "a page" });

const cases: readonly (readonly [
  name: string,
  failure: MatrixFailure,
  expected: Partial<Record<keyof Classification, unknown>>,
])[] = [
  [
    "429",
    answered(429, "M_LIMIT_EXCEEDED", "slow down", 1_234),
    { action: "retry", applied: "no", afterMs: 1_234, transport: true },
  ],
  ["429 of a proxy", page(429), { action: "retry", applied: "no", transport: true }],
  [
    "500 of the homeserver, which may be the event's fault",
    answered(500, "M_UNKNOWN"),
    { action: "retry", applied: "maybe", transport: false },
  ],
  ["502", page(502), { action: "retry", applied: "maybe", transport: true }],
  [
    "503 with a wait",
    answered(503, "M_UNKNOWN", "starting", 5_000),
    { action: "retry", afterMs: 5_000, transport: true },
  ],
  ["504", page(504), { action: "retry", applied: "maybe", transport: true }],
  ["a 2xx that is no answer", page(200), { action: "retry", applied: "maybe", transport: false }],
  ["a redirect", page(301), { action: "retry", transport: true, advice: expect.stringContaining("homeserver.url") }],
  [
    "nobody listening",
    { kind: "unanswered", applied: "no", message: "ECONNREFUSED" },
    { action: "retry", applied: "no", transport: true },
  ],
  [
    "a lost answer",
    { kind: "unanswered", applied: "maybe", message: "ECONNRESET" },
    { action: "retry", applied: "maybe", transport: true },
  ],
  [
    "an unknown token",
    answered(401, "M_UNKNOWN_TOKEN"),
    { action: "retry", transport: true, advice: expect.stringContaining("as_token") },
  ],
  [
    "an unknown token, as some servers say it",
    answered(403, "M_UNKNOWN_TOKEN"),
    { action: "retry", advice: expect.stringContaining("as_token") },
  ],
  [
    "404 of a proxy",
    page(404),
    { action: "retry", transport: true, advice: expect.stringContaining("homeserver.url") },
  ],
  ["413 of a proxy", page(413), { action: "permanent", applied: "no" }],
  ["400", answered(400, "M_BAD_JSON"), { action: "permanent", applied: "no" }],
  ["404 of the homeserver", answered(404, "M_NOT_FOUND"), { action: "permanent" }],
  ["413 of the homeserver", answered(413, "M_TOO_LARGE"), { action: "permanent" }],
  ["409", answered(409, "M_ROOM_IN_USE"), { action: "permanent" }],
  [
    "403 in the words of Synapse for a sender who is not in the room",
    answered(403, "M_FORBIDDEN", "User @a:b not in room !r:b (None)"),
    { action: "rejoin", applied: "no", transport: false },
  ],
  [
    "403 of a ghost that was never registered",
    answered(403, "M_FORBIDDEN", "Application service has not registered this user"),
    { action: "rejoin" },
  ],
  ["403 without a reason", answered(403, "M_FORBIDDEN", "Event is not authorized."), { action: "rejoin" }],
  [
    "403 for a lack of power",
    answered(
      403,
      "M_FORBIDDEN",
      "You don't have permission to post that to the room. user_level (0) < send_level (50)",
    ),
    { action: "permanent" },
  ],
  ["403 for one who is banned", answered(403, "M_FORBIDDEN", "@a:b is banned from the room"), { action: "permanent" }],
  ["403 with a code of its own", answered(403, "M_BAD_STATE"), { action: "permanent" }],
  [
    "a request that cannot be sent",
    { kind: "invalid", message: "a fraction" },
    { action: "permanent", applied: "no", transport: false },
  ],
];

describe("what a failure means", () => {
  it.each(cases)("%s", (_name, failure, expected) => {
    expect(classify(failure)).toMatchObject(expected);
  });
});
