import type { NetworkConfig } from "../config.js";
import type { Credentials } from "../session/sasl/credentials.js";
import { readPemFile } from "./pem-file.js";

/**
 * How the operator wants the bot to sign in.
 * @throws Error when the certificate's file cannot be read
 */
export function botCredentialsOf({ name, sasl }: NetworkConfig): Credentials | undefined {
  if (sasl?.certificate !== undefined) {
    const pem = readPemFile(name, "sasl.certificate", sasl.certificate);
    return { method: "certificate", account: sasl.account, certificate: pem, key: pem };
  }
  if (sasl?.password === undefined) return undefined;
  const { account, password, mechanism } = sasl;
  return { method: "password", account, password, ...(mechanism && { mechanism }) };
}
