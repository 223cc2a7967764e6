/** What one check came to. */
export interface Finding {
  /** A stable name, for scripts. */
  readonly check: CheckName;
  /** The bridge it is about. */
  readonly bridge?: string;
  readonly state: "ok" | "warning" | "failed" | "skipped";
  /** What was found. */
  readonly text: string;
  /** What to do about it. */
  readonly cure?: string;
  /** It stays so until somebody changes something: waiting does not help. */
  readonly isFinal?: boolean;
}

export type CheckName =
  | "configuration"
  | "connector"
  | "registration"
  | "address"
  | "data"
  | "homeserver"
  | "clock"
  | "as_token"
  | "identity"
  | "sender"
  | "namespaces"
  | "policyLists"
  | "listener"
  | "ping"
  | "hs_token"
  /** What the connector looked at itself. */
  | `network.${string}`;

type Details = Pick<Finding, "bridge" | "cure" | "isFinal">;

export function ok(check: CheckName, text: string, details: Details = {}): Finding {
  return { check, state: "ok", text, ...details };
}

export function warning(check: CheckName, text: string, cure: string, details: Details = {}): Finding {
  return { check, state: "warning", text, cure, ...details };
}

export function failed(check: CheckName, text: string, cure: string, details: Details = {}): Finding {
  return { check, state: "failed", text, cure, ...details };
}

export function skipped(check: CheckName, text: string, details: Details = {}): Finding {
  return { check, state: "skipped", text, ...details };
}
