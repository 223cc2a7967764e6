import { describe, expect, it } from "@jest/globals";
import { saslPrep, Scram, ScramError } from "@trestle/core";
import fc from "fast-check";

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

  it("takes extensions that need not be understood", async () => {
    const scram = begun();
    expect(await scram.prove(`${challenge},x=new`)).not.toBe(proof);
    const plain = begun();
    await plain.prove(challenge);
    expect(() => plain.verify(`${final},x=new`)).not.toThrow();
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
    ["hardly any work", challenge.replace("i=4096", "i=4095")],
    ["endless work", challenge.replace("i=4096", "i=4000000000")],
    ["a count that is no number", challenge.replace("i=4096", "i=many")],
    ["nothing", ""],
  ])("answers no challenge with %s", async (_what, wrong) => {
    await expect(begun().prove(wrong)).rejects.toThrow(/not an answer|unreasonable/);
  });

  it("fails with an error that can be told from others", async () => {
    await expect(begun().prove("")).rejects.toMatchObject({ name: "ScramError" });
    expect(new ScramError("why").message).toBe("why");
  });
});

describe("Scram", () => {
  it("says another nonce each time", () => {
    const said = Array.from({ length: 50 }, () => new Scram("SCRAM-SHA-256", "user", "pencil").begin());
    expect(new Set(said).size).toBe(50);
    for (const each of said) expect(each).toMatch(/^n,,n=user,r=[A-Za-z0-9+/]{32}$/);
  });

  it("keeps a name apart from what follows it, whatever is in it", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (account) => {
        const [, said = ""] =
          /^n,,n=([^,]*),r=nonce$/.exec(new Scram("SCRAM-SHA-1", account, "", "nonce").begin()) ?? [];
        expect(said.replaceAll("=2C", ",").replaceAll("=3D", "=")).toBe(saslPrep(account));
        expect(said).not.toMatch(/=(?!2C|3D)/);
      }),
      { seed: 5802 },
    );
  });

  it("proves the same password however it was typed", async () => {
    const [example] = examples;
    const proofOf = async (password: string): Promise<string> => {
      const scram = new Scram(example.name, "user", password, example.nonce);
      scram.begin();
      return await scram.prove(example.challenge);
    };
    expect(await proofOf("pe\u00adnc\u2168l")).toBe(await proofOf("pencIXl"));
    expect(await proofOf("pencil")).not.toBe(await proofOf("Pencil"));
  });
});

describe("saslPrep", () => {
  /** The examples of RFC 4013 §3 that are no errors, and the mappings of §2.1. */
  it.each([
    ["I\u00adX", "IX"],
    ["user", "user"],
    ["USER", "USER"],
    ["\u00aa", "a"],
    ["\u2168", "IX"],
    ["a\u00a0b\u3000c", "a b c"],
    ["a\u200bb\ufe0f\ufeff", "ab"],
  ])("makes %j %j", (text, prepared) => {
    expect(saslPrep(text)).toBe(prepared);
  });
});
