import { lookup as systemLookup } from "node:dns";
import { resolveSrv } from "node:dns/promises";
import { isIP, type LookupFunction } from "node:net";
import { domainToASCII } from "node:url";
import { isPublicAddress } from "@trestle/core";

/** Where a server takes clients. */
export interface Place {
  readonly host: string;
  readonly port: number;
  /** `none`: nothing is encrypted, which is allowed on this machine alone. */
  readonly security: "starttls" | "direct" | "none";
  /** Certificates (PEM) of the authorities that are trusted; those of the system where absent. */
  readonly ca?: string;
  /** The operator named it: also a private address is connected to. */
  readonly isNamed: boolean;
}

const CLIENT_PORT = 5222;
const MOST_PLACES = 6;

/** Whether an address may be connected to: a domain comes from a person, and may point anywhere. */
export function isAllowed({ isNamed, security }: Place, address: string): boolean {
  return security === "none" ? isLoopback(address) : isNamed || isPublicAddress(address);
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^(?:::ffff:)?127\.\d+\.\d+\.\d+$/.test(host);
}

/** Resolves names to addresses that may be connected to; to none is an error. */
export function lookupAllowed(place: Place): LookupFunction {
  return (name, options, callback) => {
    systemLookup(name, { ...options, all: true }, (error, found) => {
      if (error !== null) {
        callback(error, [], 0);
        return;
      }
      const allowed = found.filter(({ address }) => isAllowed(place, address));
      const [first] = allowed;
      if (!first) callback(new Error(`${name} has no public address`), [], 0);
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

/**
 * Where the server of a domain takes clients, as DNS says (RFC 6120 §3.2, XEP-0368), the best first; never empty. Rejects
 * where DNS does not answer.
 */
export async function findPlaces(domain: string): Promise<readonly Place[]> {
  const name = domainToASCII(domain) || domain;
  const itself: Place = { host: name, port: CLIENT_PORT, security: "starttls", isNamed: false };
  if (isIP(name) !== 0 || name.startsWith("[")) return [{ ...itself, host: name.replace(/^\[|\]$/g, "") }];
  const [direct, starttls] = await Promise.all([
    recordsOf(`_xmpps-client._tcp.${name}`),
    recordsOf(`_xmpp-client._tcp.${name}`),
  ]);
  const found = [
    ...direct.map((record) => ({ ...record, security: "direct" as const })),
    ...starttls.map((record) => ({ ...record, security: "starttls" as const })),
  ]
    .sort((one, other) => one.priority - other.priority || other.chance - one.chance)
    .slice(0, MOST_PLACES)
    .map(({ host, port, security }): Place => ({ host, port, security, isNamed: false }));
  return found.length === 0 ? [itself] : found;
}

interface Server {
  readonly host: string;
  readonly port: number;
  readonly priority: number;
  /** Larger ones come first among equals: by chance, according to the weights (RFC 2782). */
  readonly chance: number;
}

async function recordsOf(service: string): Promise<readonly Server[]> {
  try {
    const records = await resolveSrv(service);
    return records
      .filter(({ name }) => name !== "" && name !== ".")
      .map(({ name, port, priority, weight }) => ({
        host: name,
        port,
        priority,
        chance: Math.random() ** (1 / (weight + 1)),
      }));
  } catch (error) {
    const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
    if (code === "ENOTFOUND" || code === "ENODATA") return [];
    throw error;
  }
}
