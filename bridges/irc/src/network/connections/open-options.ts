import type { NetworkConfig } from "../../config.js";
import type { OpenOptions } from "../../holder/frames.js";
import type { Credentials } from "../../session/sasl/credentials.js";
import type { ServerAddress } from "./servers.js";

/** What differs from one connection of a network to another. */
export interface Opening {
  readonly server: ServerAddress;
  /** PEM certificates to trust instead of the system's. */
  readonly ca: string | undefined;
  readonly localAddress: string | undefined;
  readonly credentials: Credentials | undefined;
}

/** How a connection to a network is opened. */
export function openOptions(config: NetworkConfig, { server, ca, localAddress, credentials }: Opening): OpenOptions {
  const { serverName, insecure, fingerprints, timeouts } = config;
  return {
    ...server,
    ca,
    serverName,
    insecure,
    fingerprints,
    localAddress,
    clientCertificate: credentials?.method === "certificate" ? credentials : undefined,
    connectTimeoutMs: timeouts.connect * 1000,
    pingAfterMs: timeouts.silence * 1000,
    pingTimeoutMs: timeouts.answer * 1000,
  };
}
