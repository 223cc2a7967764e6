import type { ApiExchange } from "./api/slack-api.js";
import type { Listener } from "./gaps/unheard.js";
import type { Route } from "./http/server.js";
import type { Workspace } from "./installations/workspace.js";
import type { IntakeOptions, Taken } from "./intake/intake.js";

/** What the connector may decide about, besides its listeners. */
export interface LinkOptions extends Pick<IntakeOptions, "wants" | "replyTo"> {
  /** Shorter pauses, for tests. */
  readonly tuning?: LinkTuning;
  readonly onApiCall?: (exchange: ApiExchange) => void;
  readonly onRepair?: (repair: { readonly channel: string; readonly missed: number }) => void;
  /** More routes of the listener, by method and path; only where it is there for `oauth`. */
  readonly routes?: Readonly<Record<string, Route>>;
  /** Somebody came back from Slack's page. `false`: they did not come for the connector, but to install the app. */
  readonly returned?: (...request: Parameters<Route>) => boolean;
  /** Something Slack sent was dealt with; `refused`: the disk did not take it, and it is not acknowledged. */
  readonly onTaken?: (taken: {
    readonly transport: "socket" | "http" | "webhook";
    readonly outcome: Taken["outcome"] | "refused";
    readonly ms: number;
  }) => void;
  /** A connection of Socket Mode was opened, or could not be kept open. */
  readonly onSocket?: (outcome: "opened" | "failed") => void;
  /** Who reads a channel that the app is not in: a direct message of somebody who signed in. */
  readonly reader?: (team: string, channel: string) => Workspace | undefined;
  /**
   * Something was said in a channel that is not linked. Since when somebody who signed in hears it, in milliseconds since
   * 1970; `undefined` where nobody does.
   */
  readonly heardSince?: (team: string, channel: string, envelope: unknown) => Promise<number | undefined>;
  /** Those who signed in and whose workspace is known. */
  readonly listeners?: () => readonly Listener[];
  /** The app is in a workspace: known from before, just asked about, or just installed. */
  readonly onWorkspace?: (team: string) => void;
  /** The app was removed from a workspace. */
  readonly onRemoved?: (team: string) => void;
}

export interface LinkTuning {
  /** How many times as fast as Slack's published limits requests may be made. */
  readonly speed?: number;
  readonly staggerMs?: number;
  readonly retryMinMs?: number;
  readonly retryMaxMs?: number;
  readonly pingMs?: number;
  readonly lingerMs?: number;
  readonly hopelessMs?: number;
  readonly holdMs?: number;
  readonly authorizeUrl?: string;
}
