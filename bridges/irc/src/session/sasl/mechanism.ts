/** The client's side of one run of a SASL mechanism (RFC 4422). */
export interface Mechanism {
  readonly name: string;
  /** Answers a challenge; the first one is empty. Throws a {@link SaslError} or a `ScramError` where the server does not play by the rules. */
  respond(challenge: Buffer): Buffer | Promise<Buffer>;
  /** Whether a success that the server claims now can be believed. */
  readonly complete: boolean;
}

/** The exchange cannot go on; the message is for a person. */
export class SaslError extends Error {
  override readonly name = "SaslError";
}

/** SASL PLAIN (RFC 4616). Throws a {@link SaslError} for what it cannot carry. */
export function plain(account: string, password: string): Mechanism {
  let complete = false;
  return {
    name: "PLAIN",
    respond: () => {
      if (`${account}${password}`.includes("\0")) throw new SaslError("a password with a NUL cannot be sent");
      complete = true;
      return Buffer.from(`${account}\0${account}\0${password}`, "utf8");
    },
    get complete() {
      return complete;
    },
  };
}

/** SASL EXTERNAL (RFC 4422 appendix A): the certificate of the connection says who one is. */
export function external(): Mechanism {
  return { name: "EXTERNAL", respond: () => Buffer.alloc(0), complete: true };
}
