import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { type Mechanism, SaslError } from "./mechanism.js";

/** RFC 7677 §4: fewer make a password that leaks easy to guess. */
const LEAST_ITERATIONS = 4096;
/** More only keep us busy. */
const MOST_ITERATIONS = 1_000_000;

const derive = promisify(pbkdf2);

/**
 * SCRAM-SHA-256 (RFC 5802, RFC 7677) without channel binding. The password never leaves the machine, and the server has to
 * prove that it knows it: a success without its signature is none.
 */
export class ScramSha256 implements Mechanism {
  readonly name = "SCRAM-SHA-256";
  readonly #nonce: string;
  #step = 0;
  #clientFirst = "";
  #serverSignature: Buffer | undefined;
  #complete = false;

  /** `nonce` is for tests with known answers. */
  constructor(
    private readonly account: string,
    private readonly password: string,
    nonce = randomBytes(24).toString("base64"),
  ) {
    this.#nonce = nonce;
  }

  get complete(): boolean {
    return this.#complete;
  }

  async respond(challenge: Buffer): Promise<Buffer> {
    const text = challenge.toString("utf8");
    switch (this.#step++) {
      case 0:
        this.#clientFirst = `n=${saslName(this.account)},r=${this.#nonce}`;
        return Buffer.from(`n,,${this.#clientFirst}`, "utf8");
      case 1:
        return await this.#prove(text);
      case 2:
        this.#verify(text);
        return Buffer.alloc(0);
      default:
        throw new SaslError("the server goes on with a sign-in that is over");
    }
  }

  async #prove(serverFirst: string): Promise<Buffer> {
    const { nonce, salt, iterations } = this.#challenge(serverFirst);
    const salted = await derive(preparePassword(this.password), salt, iterations, 32, "sha256");
    const unproven = `c=${Buffer.from("n,,").toString("base64")},r=${nonce}`;
    const said = `${this.#clientFirst},${serverFirst},${unproven}`;
    const clientKey = hmac(salted, "Client Key");
    const signature = hmac(createHash("sha256").update(clientKey).digest(), said);
    const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
    this.#serverSignature = hmac(hmac(salted, "Server Key"), said);
    return Buffer.from(`${unproven},p=${Buffer.from(proof).toString("base64")}`, "utf8");
  }

  #challenge(serverFirst: string): { nonce: string; salt: Buffer; iterations: number } {
    const parts =
      /^r=(?<nonce>[!-+\--~]+),s=(?<salt>[A-Za-z0-9+/]+={0,2}),i=(?<iterations>[1-9]\d{0,9})(?:,.*)?$/s.exec(
        serverFirst,
      )?.groups;
    const nonce = parts?.["nonce"] ?? "";
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length)
      throw new SaslError("the server's challenge is not an answer to ours");
    const iterations = Number(parts?.["iterations"]);
    if (iterations < LEAST_ITERATIONS || iterations > MOST_ITERATIONS)
      throw new SaslError(`the server wants ${iterations} iterations, which is unreasonable`);
    return { nonce, salt: Buffer.from(parts?.["salt"] ?? "", "base64"), iterations };
  }

  #verify(serverFinal: string): void {
    const expected = this.#serverSignature;
    const signature = Buffer.from(/^v=([A-Za-z0-9+/]+={0,2})(?:,.*)?$/s.exec(serverFinal)?.[1] ?? "", "base64");
    if (!expected || signature.length !== expected.length || !timingSafeEqual(signature, expected))
      throw new SaslError("the server could not prove that it knows the password: it may be somebody else's");
    this.#complete = true;
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text, "utf8").digest();
}

function saslName(name: string): string {
  return name.normalize("NFKC").replaceAll("=", "=3D").replaceAll(",", "=2C");
}

/** SASLprep (RFC 4013) as far as it changes text: other spaces become spaces, invisible characters go, NFKC. */
function preparePassword(password: string): string {
  return password
    .replace(/[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g, " ")
    .replace(
      /\u00ad|\u034f|\u1806|\u180b|\u180c|\u180d|\u200b|\u200c|\u200d|\u2060|\p{Variation_Selector}|\ufeff/gu,
      "",
    )
    .normalize("NFKC");
}
