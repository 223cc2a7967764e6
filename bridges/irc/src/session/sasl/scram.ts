import { Scram } from "@trestle/core";
import { type Mechanism, SaslError } from "./mechanism.js";

/** SCRAM-SHA-256 (RFC 7677) as a mechanism of {@link Mechanism}: complete once the server has proved itself. */
export class ScramSha256 implements Mechanism {
  readonly name = "SCRAM-SHA-256";
  readonly #scram: Scram;
  #step = 0;
  #complete = false;

  constructor(account: string, password: string) {
    this.#scram = new Scram(this.name, account, password);
  }

  get complete(): boolean {
    return this.#complete;
  }

  async respond(challenge: Buffer): Promise<Buffer> {
    const text = challenge.toString("utf8");
    switch (this.#step++) {
      case 0:
        return Buffer.from(this.#scram.begin(), "utf8");
      case 1:
        return Buffer.from(await this.#scram.prove(text), "utf8");
      case 2:
        this.#scram.verify(text);
        this.#complete = true;
        return Buffer.alloc(0);
      default:
        throw new SaslError("the server goes on with a sign-in that is over");
    }
  }
}
