import { createHmac } from "node:crypto";
import type { Network } from "@trestle/core";
import type { XmppConfig } from "../config.js";
import type { XmppStream } from "../stream/index.js";
import type { Allowance } from "./allowance.js";
import type { Archive } from "./archive.js";
import type { Lanes } from "./lanes.js";
import type { Outbox } from "./outbox.js";
import type { GatewayTuning } from "./tuning.js";

/** What every room of the gateway shares. */
export interface GatewayParts {
  readonly network: Network;
  readonly stream: XmppStream;
  readonly config: XmppConfig;
  readonly tuning: GatewayTuning;
  readonly archive: Archive;
  readonly outbox: Outbox;
  /** In order for each client. */
  readonly lanes: Lanes;
  readonly allowance: Allowance;
  /** Nobody else knows it; the same after a restart. */
  readonly secret: string;
}

/** XEP-0421: the same for somebody in a room under every nick, another in every room, and it tells nobody who it is. */
export function occupantIdOf({ secret }: GatewayParts, room: string, key: string): string {
  return createHmac("sha256", secret).update(`occupant id\n${room}\n${key}`).digest("base64url").slice(0, 32);
}
