import type { NetworkConfig } from "../config.js";
import type { OpenOptions } from "../holder/frames.js";
import type { Credentials } from "../session/sasl/credentials.js";

/** How connections to a network are opened; `ca` are PEM certificates to trust instead of the system's. */
export function openOptions(
  config: NetworkConfig,
  ca: string | undefined,
  credentials: Credentials | undefined,
): OpenOptions {
  const { host, port, tls, serverName, insecure, localAddress, timeouts } = config;
  return {
    host,
    port: port ?? (tls ? 6697 : 6667),
    tls,
    ca,
    serverName,
    insecure,
    localAddress,
    clientCertificate: credentials?.method === "certificate" ? credentials : undefined,
    connectTimeoutMs: timeouts.connect * 1000,
    pingAfterMs: timeouts.silence * 1000,
    pingTimeoutMs: timeouts.answer * 1000,
  };
}
