import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { findProgram } from "./found.js";
import { patiently } from "../../support/bounded.js";

export interface Certificate {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** The certificate, which is its own authority: what a client that verifies must trust. */
  readonly pem: string;
}

/** Makes a self-signed certificate for localhost and 127.0.0.1 in `directory`, valid for two days. */
export async function makeCertificate(directory: string): Promise<Certificate> {
  const openssl = findProgram("openssl");
  if (openssl === undefined) throw new Error("A test with TLS needs the program openssl (apt-get install openssl).");
  const certificateFile = join(directory, "certificate.pem");
  const keyFile = join(directory, "key.pem");
  const request = [
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "2",
    "-subj",
    "/CN=localhost",
    "-addext",
    "subjectAltName=DNS:localhost,IP:127.0.0.1",
  ];
  const result = spawnSync(openssl, [...request, "-out", certificateFile, "-keyout", keyFile], {
    encoding: "utf8",
    timeout: patiently(30_000),
  });
  if (result.status !== 0) throw new Error(`openssl made no certificate: ${result.stderr}`);
  return { certificateFile, keyFile, pem: await readFile(certificateFile, "utf8") };
}
