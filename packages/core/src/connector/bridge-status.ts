import type { ConnectionStatus } from "./connector.js";

/** How one bridge is. */
export interface BridgeStatus {
  readonly name: string;
  readonly network: string;
  readonly links: number;
  readonly connections: readonly ConnectionStatus[];
  readonly toNetwork: FlowStatus;
  readonly toMatrix: FlowStatus;
  /** Those that the operator names in `policyLists`. */
  readonly policyLists: readonly PolicyListStatus[];
}

/** `read`: as it is now; `kept`: what an earlier process had read of it counts; `unread`: it bans nobody yet. */
export type PolicyListState = "read" | "kept" | "unread";

/** How one policy list is. */
export interface PolicyListStatus {
  /** As the operator names it. */
  readonly list: string;
  readonly state: PolicyListState;
  /** How many of its rules ban somebody. */
  readonly bans: number;
  /** What is wrong with it, and what to do, for the operator. */
  readonly detail?: string;
}

/** How one direction of a bridge is. */
export interface FlowStatus {
  /** Waiting to be delivered. */
  readonly queued: number;
  readonly dead: number;
  /** The age of the oldest that waits, in milliseconds; 0 where none waits. */
  readonly oldestMs: number;
  /** Delivered since the start. */
  readonly delivered: number;
}

/** What people are told of it, a line for each thing: by the command `status`, and by commands of the network. */
export function describeStatus(bridge: BridgeStatus): string {
  const connections = bridge.connections.map(
    ({ connection, state, detail }) => `${connection}: ${state}${detail === undefined ? "" : ` (${detail})`}`,
  );
  const flow = (name: string, { queued, dead, delivered }: FlowStatus): string =>
    `${name}: ${delivered} delivered since the start, ${queued} waiting${dead > 0 ? `, ${dead} could not be delivered` : ""}`;
  return [
    ...connections,
    `${bridge.links} links`,
    flow(`to ${bridge.network}`, bridge.toNetwork),
    flow("to Matrix", bridge.toMatrix),
  ].join("\n");
}
