import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import { FAILED, type Mechanism, type MechanismMaker, type Step } from "./exchange.js";

/** What a server keeps of a password for SCRAM-SHA-256 (RFC 5802 §3). */
export interface ScramCredentials {
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

const hmac = (key: Buffer, text: string | Buffer): Buffer => createHmac("sha256", key).update(text).digest();

/** The normalisation is NFKC, which is what SASLprep does to the passwords of tests. */
export function scramCredentials(password: string, salt = randomBytes(16), iterations = 4096): ScramCredentials {
  const salted = pbkdf2Sync(password.normalize("NFKC"), salt, iterations, 32, "sha256");
  const storedKey = createHash("sha256").update(hmac(salted, "Client Key")).digest();
  return { salt, iterations, storedKey, serverKey: hmac(salted, "Server Key") };
}

export interface ScramOptions {
  readonly credentialsOf: (name: string) => ScramCredentials | undefined;
  readonly accountOf: (name: string) => string | undefined;
  /** The server's part of the nonce. */
  readonly nonce: string;
  /** Whether the server's signature is to be false. */
  readonly forged?: () => boolean;
}

/** The server's side of SCRAM-SHA-256 (RFC 7677), without channel binding. */
export class ScramServer implements Mechanism {
  #next: (text: string) => Step = (text) => this.#first(text);

  constructor(private readonly options: ScramOptions) {}

  step(data: Buffer): Step {
    return this.#next(data.toString("utf8"));
  }

  #first(text: string): Step {
    // A client that could bind the channel says "y": this server says that it cannot, so both go on without.
    const parts =
      /^(?<header>[ny],(?:a=(?<authorize>[^,]*))?,)(?<bare>n=(?<name>[^,]*),r=(?<nonce>[!-+\--~]+)(?:,.*)?)$/s.exec(
        text,
      )?.groups;
    const name = unescapeName(parts?.["name"] ?? "");
    const credentials = this.options.credentialsOf(name);
    const authorize = parts?.["authorize"] ?? "";
    if (parts === undefined || credentials === undefined) return FAILED;
    if (authorize !== "" && unescapeName(authorize) !== name) return FAILED;
    const nonce = `${parts["nonce"] ?? ""}${this.options.nonce}`;
    const challenge = `r=${nonce},s=${credentials.salt.toString("base64")},i=${credentials.iterations}`;
    const header = Buffer.from(parts["header"] ?? "").toString("base64");
    this.#next = (final) =>
      this.#final(final, { credentials, name, nonce, header, said: `${parts["bare"] ?? ""},${challenge}` });
    return { kind: "challenge", data: Buffer.from(challenge) };
  }

  #final(text: string, first: FirstRound): Step {
    const { credentials } = first;
    const parts = /^(?<unproven>c=(?<header>[^,]*),r=(?<nonce>[^,]*)(?:,.*)?),p=(?<proof>[^,]*)$/s.exec(text)?.groups;
    if (parts === undefined || parts["nonce"] !== first.nonce || parts["header"] !== first.header) return FAILED;
    const said = `${first.said},${parts["unproven"] ?? ""}`;
    const proof = Buffer.from(parts["proof"] ?? "", "base64");
    const signature = hmac(credentials.storedKey, said);
    if (proof.length !== signature.length) return FAILED;
    const clientKey = proof.map((byte, index) => byte ^ (signature[index] ?? 0));
    if (!timingSafeEqual(createHash("sha256").update(clientKey).digest(), credentials.storedKey)) return FAILED;
    const account = this.options.accountOf(first.name);
    if (account === undefined) return FAILED;
    const key = this.options.forged?.() === true ? randomBytes(32) : credentials.serverKey;
    this.#next = () => ({ kind: "done", account });
    return { kind: "challenge", data: Buffer.from(`v=${hmac(key, said).toString("base64")}`) };
  }
}

interface FirstRound {
  readonly credentials: ScramCredentials;
  readonly name: string;
  readonly nonce: string;
  /** What the client must say of the channel binding, in base64. */
  readonly header: string;
  /** Both first messages. */
  readonly said: string;
}

const unescapeName = (text: string): string => text.replaceAll("=2C", ",").replaceAll("=3D", "=");

export const scram: MechanismMaker = ({ accounts, faults }) =>
  new ScramServer({
    credentialsOf: (name) => accounts.scramOf(name),
    accountOf: (name) => accounts.nameOf(name),
    nonce: randomBytes(18).toString("base64"),
    forged: () => faults.forgedScram,
  });
