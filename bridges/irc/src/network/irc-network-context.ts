import type { Network } from "@trestle/core";
import type { NetworkConfig } from "../config.js";
import type { HolderClient } from "../holder-client/holder-client.js";
import type { Connection } from "../session/connection.js";
import type { Credentials } from "../session/sasl/credentials.js";
import type { CaseMapping } from "../wire/casemapping.js";

/** What a network is made of. */
export interface IrcNetworkContext {
  readonly config: NetworkConfig;
  /** PEM certificates to trust instead of the system's. */
  readonly ca: string | undefined;
  /** How the bot signs in. */
  readonly botCredentials: Credentials | undefined;
  readonly core: Network;
  readonly holder: HolderClient;
  readonly quitMessage: string;
  /** The spelling rules the network had when it was last seen. */
  readonly caseMapping: CaseMapping;
  /** What puppets' addresses are made with. */
  readonly addressKey: Uint8Array;
  /** Where lines for a connection are brought to. */
  readonly connections: Map<string, Connection>;
}
