import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { createLogger } from "../dist/log/create.js";
import { redactText, redactValue } from "../dist/log/redact.js";

function logged(write: (log: ReturnType<typeof createLogger>) => void, level: "trace" | "info" = "info"): string[] {
  const lines: string[] = [];
  write(createLogger({ level, format: "json" }, { destination: { write: (line: string) => void lines.push(line) } }));
  return lines;
}

const secret = "s3cr3tValue";

describe("the log", () => {
  it("writes JSON lines with a readable level and time", () => {
    const [line = ""] = logged((log) => log.info({ room: "!r:example.org" }, "linked"));
    expect(JSON.parse(line)).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      room: "!r:example.org",
      msg: "linked",
    });
  });

  it("writes nothing below its level", () => {
    expect(logged((log) => log.debug("x"))).toEqual([]);
  });

  it("changes its level together with that of the loggers made of it, before and after", () => {
    const lines = logged((log) => {
      const child = log.child({ bridge: "irc" });
      const grandchild = child.child({ flow: "toMatrix" });
      log.level = "debug";
      for (const each of [log, child, grandchild, child.child({})]) each.debug("seen");
      log.level = "error";
      for (const each of [log, child, grandchild]) each.warn("not seen");
    });
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(["seen", "seen", "seen", "seen"]);
  });

  it.each<[string, (log: ReturnType<typeof createLogger>) => void]>([
    ["a token in a message", (log) => log.info(`GET /sync?access_token=${secret}&x=1`)],
    ["a token in an interpolated value", (log) => log.info("asked %s", `http://h/?access_token=${secret}`)],
    ["an Authorization header", (log) => log.info({ headers: { Authorization: `Bearer ${secret}` } }, "request")],
    ["a header in a message", (log) => log.info(`Authorization: Bearer ${secret}`)],
    [
      "as_token and hs_token",
      (log) => log.info({ as_token: secret, registration: { hs_token: secret, asToken: secret } }),
    ],
    ["a password deep inside", (log) => log.info({ config: { networks: [{ sasl: { password: secret } }] } })],
    ["a lone error", (log) => log.error(new Error(`GET http://h/?access_token=${secret} failed`))],
    ["an error with a message", (log) => log.error({ err: new Error(`Bearer ${secret}`) }, "failed")],
    ["an error without a message", (log) => log.error({ err: new Error(`Bearer ${secret}`) })],
    [
      "an error under another key, with a cause",
      (log) => log.error({ cause: new Error("x", { cause: new Error(`access_token=${secret}`) }) }, "failed"),
    ],
    ["a child's binding", (log) => log.child({ hs_token: secret, accessToken: secret }).info("hello")],
    ["a URL with a password", (log) => log.info({ proxy: `http://user:${secret}@proxy/` })],
    ["a URL object", (log) => log.info({ url: new URL(`http://h/?access_token=${secret}`) })],
    [
      "an object of a class",
      (log) =>
        log.info({
          login: new (class {
            accessToken = secret;
          })(),
        }),
    ],
    ["a YAML line", (log) => log.info(`cannot parse: as_token: ${secret}`)],
    ["a JSON body in a message", (log) => log.info(`answer {"access_token":"${secret}"}`)],
    ["bytes", (log) => log.info({ body: Buffer.from(secret) })],
  ])("does not show %s", (_name, write) => {
    const lines = logged(write);
    expect(lines).toHaveLength(1);
    expect(lines.join("")).not.toContain(secret);
    expect(() => void JSON.parse(lines[0]!)).not.toThrow();
  });

  it("keeps what is no secret", () => {
    const [line = ""] = logged((log) =>
      log.info({ tokens: 3, at: new Date(0), err: new Error("disk full"), list: ["a", null] }, "keyboard monkey"),
    );
    expect(JSON.parse(line)).toMatchObject({
      tokens: 3,
      at: "1970-01-01T00:00:00.000Z",
      err: { message: "disk full" },
      list: ["a", null],
      msg: "keyboard monkey",
    });
    expect(redactText("the token was refused")).toBe("the token was refused");
  });

  it("survives any value, also circular ones, and never fails", () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    expect(JSON.stringify(redactValue(circle))).toContain("too deep");
    fc.assert(
      fc.property(
        fc.anything({ withBigInt: false, withDate: true, withMap: true, withNullPrototype: true }),
        (value) => {
          expect(logged((log) => log.info({ value }, "x"))).toHaveLength(1);
        },
      ),
      { seed: 20260722, numRuns: 200 },
    );
  });
});
