import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { SignatureCheck, signatureOf } from "../../dist/link/index.js";

const secret = "8f742231b10e8888abcd99yyyzzz85a5";
const now = 1_700_000_000_000;
const body = Buffer.from('{"type":"event_callback"}');

function check(at = 0, change: { signature?: string; body?: Buffer; time?: string } = {}, skewMs = 300_000) {
  const timestamp = change.time ?? String(Math.round((now + at) / 1_000));
  const signature = change.signature ?? signatureOf(secret, timestamp, body);
  return new SignatureCheck({ secret, skewMs, now: () => now }).check(timestamp, signature, change.body ?? body);
}

describe("Slack's signature", () => {
  it("is that of Slack's own example", () => {
    const example =
      "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    expect(signatureOf(secret, "1531420618", example)).toBe(
      "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    );
  });

  it("is good within five minutes, before and after, and at no other time", () => {
    expect(check().ok).toBe(true);
    expect(check(-299_000).ok).toBe(true);
    expect(check(299_000).ok).toBe(true);
    expect(check(-301_000)).toEqual({ ok: false, reason: "it is 301 s old" });
    expect(check(301_000)).toEqual({ ok: false, reason: "its time is 301 s ahead" });
    expect(check(3_600_000).ok).toBe(false);
  });

  it("is refused where anything about it is changed", () => {
    expect(check(0, { body: Buffer.from("{}") }).ok).toBe(false);
    expect(check(0, { signature: "v0=00" }).ok).toBe(false);
    expect(check(0, { signature: "" }).ok).toBe(false);
    for (const time of ["", "now", "-1", "1e9", "17000000000000", " 1700000000"])
      expect(check(0, { time }).ok).toBe(false);
    const checker = new SignatureCheck({ secret, skewMs: 300_000, now: () => now });
    expect(checker.check(undefined, "v0=1", body).ok).toBe(false);
    expect(checker.check("1700000000", undefined, body).ok).toBe(false);
    const wrong = signatureOf("another secret", "1700000000", body);
    expect(checker.check("1700000000", wrong, body)).toEqual({ ok: false, reason: "its signature is wrong" });
  });

  it("is never accepted for a body it was not made for", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 200 }), (signed, sent) => {
        const checker = new SignatureCheck({ secret, skewMs: 300_000, now: () => now });
        const signature = signatureOf(secret, "1700000000", Buffer.from(signed));
        expect(checker.check("1700000000", signature, Buffer.from(sent)).ok).toBe(Buffer.from(signed).equals(sent));
      }),
      { seed: 4, numRuns: 200 },
    );
  });

  it("is taken once, unless it is given back, and is remembered for as long as it would be good", () => {
    let time = now;
    const checker = new SignatureCheck({ secret, skewMs: 300_000, now: () => time });
    const stamp = String(Math.round((now + 299_000) / 1_000));
    const signature = signatureOf(secret, stamp, body);
    expect(checker.check(stamp, signature, body)).toEqual({ ok: true, replayed: false });
    expect(checker.check(stamp, signature, body)).toEqual({ ok: true, replayed: true });
    checker.giveBack(signature);
    expect(checker.check(stamp, signature, body)).toEqual({ ok: true, replayed: false });
    time += 598_000;
    expect(checker.check(stamp, signature, body)).toEqual({ ok: true, replayed: true });
  });

  it("remembers so many and no more", () => {
    const checker = new SignatureCheck({ secret, skewMs: 300_000, now: () => now, remembered: 10 });
    const signatures = Array.from({ length: 11 }, (_, index) => signatureOf(secret, "1700000000", String(index)));
    for (const [index, signature] of signatures.entries())
      expect(checker.check("1700000000", signature, Buffer.from(String(index)))).toEqual({ ok: true, replayed: false });
    expect(checker.check("1700000000", signatures[10], Buffer.from("10"))).toEqual({ ok: true, replayed: true });
    expect(checker.check("1700000000", signatures[0], Buffer.from("0"))).toEqual({ ok: true, replayed: false });
  });

  it("needs a secret", () => {
    expect(() => new SignatureCheck({ secret: "", skewMs: 1 })).toThrow("empty");
  });
});
