import { describe, expect, it } from "@jest/globals";
import { Scram } from "../../dist/accounts/connection/scram.js";

/** The examples of RFC 5802 §5 and RFC 7677 §3. */
const examples = [
  {
    name: "SCRAM-SHA-1",
    nonce: "fyko+d2lbbFgONRv9qkxdawL",
    challenge: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
    proof: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
    final: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
  },
  {
    name: "SCRAM-SHA-256",
    nonce: "rOprNGfwEbeRWgbNEkqO",
    challenge: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    proof: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    final: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
  },
] as const;

describe.each(examples)("$name", ({ name, nonce, challenge, proof, final }) => {
  const begun = (): Scram => {
    const scram = new Scram(name, "user", "pencil", nonce);
    expect(scram.begin()).toBe(`n,,n=user,r=${nonce}`);
    return scram;
  };

  it("says what the specification says", async () => {
    const scram = begun();
    expect(await scram.prove(challenge)).toBe(proof);
    expect(() => scram.verify(final)).not.toThrow();
  });

  it("believes no other proof, and none before its own", async () => {
    expect(() => begun().verify(final)).toThrow(/could not prove/);
    const scram = begun();
    await scram.prove(challenge);
    for (const wrong of ["", "v=", `${final}A`, final.replace(/.=$/, "B="), "e=other-error"])
      expect(() => scram.verify(wrong)).toThrow(/could not prove/);
  });

  it.each([
    ["another nonce", challenge.replace(/^r=./, "r=_")],
    ["its own nonce alone", challenge.replace(/^r=[^,]*/, `r=${nonce}`)],
    ["an extension that must be understood", `m=x,${challenge}`],
    ["no salt", challenge.replace(/s=[^,]*/, "s=")],
    ["endless work", challenge.replace("i=4096", "i=4000000000")],
    ["nothing", ""],
  ])("answers no challenge with %s", async (_what, wrong) => {
    await expect(begun().prove(wrong)).rejects.toThrow(/not an answer|unreasonable/);
  });
});
