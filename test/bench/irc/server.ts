import { IrcServer } from "@trestle/testkit";
import { findInspircd, startInspircd } from "../../support/servers/inspircd.js";

/** A server without flood rules. */
export interface BenchServer {
  readonly name: string;
  readonly port: number;
  halt(): Promise<void>;
  resume(): Promise<void>;
  close(): Promise<void>;
}

/**
 * InspIRCd where it is installed, since it costs least; otherwise the test kit's server, as where everybody is to be let in at
 * once: InspIRCd looks once a second whom to let in.
 */
export async function startServer(letsInAtOnce = false): Promise<BenchServer> {
  const found = findInspircd();
  if (!found.found || letsInAtOnce) {
    const kit = await IrcServer.start();
    return {
      name: "the test kit's server",
      port: kit.port,
      halt: () => kit.stop(),
      resume: () => kit.start(),
      close: () => kit.stop(),
    };
  }
  const inspircd = await startInspircd(found.install);
  return {
    name: "InspIRCd",
    port: inspircd.port,
    halt: () => inspircd.shutdown(),
    resume: () => inspircd.start(),
    close: () => inspircd.stop(),
  };
}
