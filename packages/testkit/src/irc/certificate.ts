import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { isIPv4 } from "node:net";

export interface CertificateOptions {
  /** Host names and IPv4 addresses it is for; `localhost` and `127.0.0.1` where absent. */
  readonly names?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

export interface Certificate {
  /** PEM. */
  readonly key: string;
  /** PEM; also what a client trusts as its `ca`. */
  readonly cert: string;
  /** The certificate as bytes, e.g. for its fingerprint. */
  readonly der: Buffer;
}

const DAY_MS = 86_400_000;
const OID = {
  commonName: Buffer.from("550403", "hex"),
  alternativeName: Buffer.from("551d11", "hex"),
  basicConstraints: Buffer.from("551d13", "hex"),
  ecdsaWithSha256: Buffer.from("2a8648ce3d040302", "hex"),
} as const;

/** A self-signed X.509 certificate (RFC 5280) with a P-256 key, for servers that tests start. */
export function selfSignedCertificate(options: CertificateOptions = {}): Certificate {
  const names = options.names ?? ["localhost", "127.0.0.1"];
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = sequence(der(0x06, OID.ecdsaWithSha256));
  const subject = sequence(
    der(0x31, sequence(der(0x06, OID.commonName), der(0x0c, Buffer.from(names[0] ?? "localhost")))),
  );
  const validity = sequence(
    time(options.notBefore ?? new Date(Date.now() - DAY_MS)),
    time(options.notAfter ?? new Date(Date.now() + DAY_MS)),
  );
  const serial = Buffer.concat([Buffer.from([0x01]), randomBytes(15)]);
  const certified = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    algorithm,
    subject,
    validity,
    subject,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(authority(), alternativeNames(names))),
  );
  const signature = sign("sha256", certified, privateKey);
  const whole = sequence(certified, algorithm, der(0x03, Buffer.from([0]), signature));
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${whole.toString("base64").replace(/.{1,64}/g, "$&\n")}-----END CERTIFICATE-----\n`,
    der: whole,
  };
}

function authority(): Buffer {
  const yes = der(0x01, Buffer.from([0xff]));
  return sequence(der(0x06, OID.basicConstraints), yes, der(0x04, sequence(yes)));
}

function alternativeNames(names: readonly string[]): Buffer {
  const written = names.map((name) =>
    isIPv4(name) ? der(0x87, Buffer.from(name.split(".").map(Number))) : der(0x82, Buffer.from(name)),
  );
  return sequence(der(0x06, OID.alternativeName), der(0x04, sequence(...written)));
}

/** GeneralizedTime; certificates before 2050 should use UTCTime, which has two digits of the year. */
function time(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, "");
  return date.getUTCFullYear() < 2050 ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits));
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const length = Buffer.from(content.length.toString(16).padStart(content.length > 0xff ? 4 : 2, "0"), "hex");
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, content]);
}
