import { type ScramCredentials, scramCredentials } from "./sasl/scram.js";

/** How one may sign in to an account. */
export interface AccountOptions {
  readonly password?: string;
  /** SHA-256 fingerprints of certificates, in hexadecimal with or without colons, for SASL EXTERNAL. */
  readonly fingerprints?: readonly string[];
}

interface Account {
  readonly name: string;
  readonly password: string | undefined;
  readonly fingerprints: ReadonlySet<string>;
  scram: ScramCredentials | undefined;
}

/** The accounts of the network, which SASL and NickServ sign in to. Names are compared without regard to case. */
export class Accounts {
  readonly #accounts = new Map<string, Account>();

  constructor(accounts: Readonly<Record<string, string | AccountOptions>>) {
    for (const [name, options] of Object.entries(accounts))
      this.add(name, typeof options === "string" ? { password: options } : options);
  }

  get size(): number {
    return this.#accounts.size;
  }

  add(name: string, { password, fingerprints = [] }: AccountOptions): void {
    this.#accounts.set(name.toLowerCase(), {
      name,
      password,
      fingerprints: new Set(fingerprints.map(plainFingerprint)),
      scram: undefined,
    });
  }

  /** The account's own spelling of its name; `undefined` where there is none. */
  nameOf(name: string): string | undefined {
    return this.#accounts.get(name.toLowerCase())?.name;
  }

  hasPassword(name: string, password: string): boolean {
    const account = this.#accounts.get(name.toLowerCase());
    return account?.password !== undefined && account.password === password;
  }

  hasFingerprint(name: string, fingerprint: string): boolean {
    return this.#accounts.get(name.toLowerCase())?.fingerprints.has(plainFingerprint(fingerprint)) === true;
  }

  nameOfFingerprint(fingerprint: string): string | undefined {
    const plain = plainFingerprint(fingerprint);
    for (const account of this.#accounts.values()) if (account.fingerprints.has(plain)) return account.name;
    return undefined;
  }

  get someFingerprint(): boolean {
    return [...this.#accounts.values()].some(({ fingerprints }) => fingerprints.size > 0);
  }

  get somePassword(): boolean {
    return [...this.#accounts.values()].some(({ password }) => password !== undefined);
  }

  scramOf(name: string): ScramCredentials | undefined {
    const account = this.#accounts.get(name.toLowerCase());
    if (account?.password === undefined) return undefined;
    account.scram ??= scramCredentials(account.password);
    return account.scram;
  }
}

const plainFingerprint = (text: string): string => text.replaceAll(":", "").toLowerCase();
