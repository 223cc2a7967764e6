import { createPrivateKey, type KeyObject, privateDecrypt } from "node:crypto";
import { readFileSync } from "node:fs";

/** Decrypts the passwords that matrix-appservice-irc kept with the key of `passwordEncryptionKeyPath`. */
export class KeptPasswords {
  private constructor(private readonly key: KeyObject) {}

  /** @throws Error where the file is no private key */
  static open(file: string): KeptPasswords {
    try {
      return new KeptPasswords(createPrivateKey(readFileSync(file)));
    } catch (error) {
      throw new Error(
        `The key ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}. It is the PEM file that passwordEncryptionKeyPath names in the configuration of matrix-appservice-irc.`,
        { cause: error },
      );
    }
  }

  /**
   * RSA-OAEP over a salt, a space and the password, which may hold spaces itself. `undefined` where it was encrypted with
   * another key.
   */
  decrypt(encrypted: string): string | undefined {
    try {
      const text = privateDecrypt(this.key, Buffer.from(encrypted, "base64")).toString("utf8");
      const space = text.indexOf(" ");
      return space === -1 ? undefined : text.slice(space + 1);
    } catch {
      return undefined;
    }
  }
}
