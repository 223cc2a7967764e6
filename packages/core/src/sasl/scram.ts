import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

/** RFC 7677 §4: fewer make a password that leaks easy to guess. */
const LEAST_ITERATIONS = 4096;
/** More only keep us busy. */
const MOST_ITERATIONS = 1_000_000;

const derive = promisify(pbkdf2);

const hashes: Record<ScramName, readonly [hash: string, bytes: number]> = {
  "SCRAM-SHA-256": ["sha256", 32],
  "SCRAM-SHA-1": ["sha1", 20],
};

/** The SASL mechanism that is spoken. */
export type ScramName = "SCRAM-SHA-256" | "SCRAM-SHA-1";

/** The server has not proved what it must, or says what cannot be; the message is for a person. */
export class ScramError extends Error {
  override readonly name = "ScramError";
}

/**
 * The client's side of one run of SCRAM (RFC 5802, RFC 7677) without channel binding. The password never leaves the
 * machine, and the server has to prove that it knows it: a success without its signature is none. What is said is text
 * as the RFCs write it; the protocol around it encodes it.
 */
export class Scram {
  readonly #nonce: string;
  readonly #hash: string;
  readonly #length: number;
  #clientFirst = "";
  #serverSignature: Buffer | undefined;

  /** `account` and `password` are prepared here; `nonce` is for tests with known answers. */
  constructor(
    readonly name: ScramName,
    private readonly account: string,
    private readonly password: string,
    nonce = randomBytes(24).toString("base64"),
  ) {
    this.#nonce = nonce;
    [this.#hash, this.#length] = hashes[name];
  }

  /** What is said first: `client-first-message`. */
  begin(): string {
    this.#clientFirst = `n=${saslName(this.account)},r=${this.#nonce}`;
    return `n,,${this.#clientFirst}`;
  }

  /**
   * The answer to the server's challenge: `client-final-message`.
   *
   * @throws {@link ScramError} where the challenge does not answer {@link Scram.begin}, or asks for hardly any work or for
   * work without end
   */
  async prove(serverFirst: string): Promise<string> {
    const { nonce, salt, iterations } = this.#challenge(serverFirst);
    const salted = await derive(saslPrep(this.password), salt, iterations, this.#length, this.#hash);
    const unproven = `c=${Buffer.from("n,,").toString("base64")},r=${nonce}`;
    const said = `${this.#clientFirst},${serverFirst},${unproven}`;
    const clientKey = this.#hmac(salted, "Client Key");
    const signature = this.#hmac(createHash(this.#hash).update(clientKey).digest(), said);
    const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
    this.#serverSignature = this.#hmac(this.#hmac(salted, "Server Key"), said);
    return `${unproven},p=${Buffer.from(proof).toString("base64")}`;
  }

  /**
   * Looks at the server's last word, `server-final-message`, in constant time.
   *
   * @throws {@link ScramError} where it does not prove that the server knows the password
   */
  verify(serverFinal: string): void {
    const expected = this.#serverSignature;
    const signature = Buffer.from(/^v=([A-Za-z0-9+/]+={0,2})(?:,.*)?$/s.exec(serverFinal)?.[1] ?? "", "base64");
    if (!expected || signature.length !== expected.length || !timingSafeEqual(signature, expected))
      throw new ScramError("the server could not prove that it knows the password: it may be somebody else's");
  }

  #challenge(serverFirst: string): { nonce: string; salt: Buffer; iterations: number } {
    const parts =
      /^r=(?<nonce>[!-+\--~]+),s=(?<salt>[A-Za-z0-9+/]+={0,2}),i=(?<iterations>[1-9]\d{0,9})(?:,.*)?$/s.exec(
        serverFirst,
      )?.groups;
    const nonce = parts?.["nonce"] ?? "";
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length)
      throw new ScramError("the server's challenge is not an answer to ours");
    const iterations = Number(parts?.["iterations"]);
    if (iterations < LEAST_ITERATIONS || iterations > MOST_ITERATIONS)
      throw new ScramError(`the server wants ${iterations} iterations, which is unreasonable`);
    return { nonce, salt: Buffer.from(parts?.["salt"] ?? "", "base64"), iterations };
  }

  #hmac(key: Buffer, text: string): Buffer {
    return createHmac(this.#hash, key).update(text, "utf8").digest();
  }
}

function saslName(name: string): string {
  return saslPrep(name).replaceAll("=", "=3D").replaceAll(",", "=2C");
}

/** SASLprep (RFC 4013) as far as it changes text: other spaces become spaces, invisible characters go, NFKC. */
export function saslPrep(text: string): string {
  return text
    .replace(/[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g, " ")
    .replace(
      /\u00ad|\u034f|\u1806|\u180b|\u180c|\u180d|\u200b|\u200c|\u200d|\u2060|\p{Variation_Selector}|\ufeff/gu,
      "",
    )
    .normalize("NFKC");
}
