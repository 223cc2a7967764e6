import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from "node:crypto";

const plain = 0;
const sealed = 1;
const ivBytes = 12;
const tagBytes = 16;

/**
 * What is secret in the store: AES-256-GCM under the configured key. Without a key values are kept as they are, and
 * what was sealed under a key cannot be read.
 */
export class Secrets {
  readonly #key: Buffer | undefined;

  constructor(passphrase: string | undefined, key?: Buffer) {
    this.#key = passphrase === undefined ? key : scryptSync(passphrase, "trestle secrets v1", 32);
  }

  /** Under a key that ends with the process: what it sealed can never be opened again. */
  static ofThisProcess(): Secrets {
    return new Secrets(undefined, randomBytes(32));
  }

  get available(): boolean {
    return this.#key !== undefined;
  }

  /** `context` binds the value to its place: a value moved to another row cannot be opened. */
  seal(text: string, context: string): Buffer {
    const data = Buffer.from(text, "utf8");
    if (!this.#key) return Buffer.concat([Buffer.of(plain), data]);
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv("aes-256-gcm", this.#key, iv).setAAD(Buffer.from(context, "utf8"));
    const body = Buffer.concat([cipher.update(data), cipher.final()]);
    return Buffer.concat([Buffer.of(sealed), iv, cipher.getAuthTag(), body]);
  }

  /** @throws Error when the value was sealed under another key. */
  open(value: Uint8Array, context: string): string {
    const data = Buffer.from(value);
    if (data[0] === plain) return data.toString("utf8", 1);
    if (!this.#key)
      throw new Error(
        `${context} is encrypted: set encryptionKey in the configuration to the key it was stored under.`,
      );
    const decipher = createDecipheriv("aes-256-gcm", this.#key, data.subarray(1, 1 + ivBytes)).setAAD(
      Buffer.from(context, "utf8"),
    );
    decipher.setAuthTag(data.subarray(1 + ivBytes, 1 + ivBytes + tagBytes));
    try {
      return Buffer.concat([decipher.update(data.subarray(1 + ivBytes + tagBytes)), decipher.final()]).toString("utf8");
    } catch {
      throw new Error(
        `${context} cannot be decrypted: the encryptionKey in the configuration is not the one it was stored under.`,
      );
    }
  }
}
