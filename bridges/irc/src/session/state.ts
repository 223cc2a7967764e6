import { z } from "zod";
import type { StateChange } from "../holder/frames.js";
import { Isupport } from "../wire/isupport.js";

/** Whose connection it is. */
export interface Role {
  readonly network: string;
  readonly kind: "bot" | "puppet";
  /** The Matrix user of a puppet. */
  readonly user?: string;
  /** The account a puppet is signed in to. */
  readonly account?: string;
  /** The name the puppet's nick was made of. */
  readonly name?: string;
}

/** What a connection was opened with. */
export interface Origin {
  /** The server, as the configuration names it. */
  readonly server: string;
  /** A digest of the settings that take effect when a connection is opened. */
  readonly settings: string;
}

/** What a bridge must know to go on with a connection; kept with the holder under the key `base`. */
export interface ConnectionState {
  readonly role: Role;
  /** `registering` connections are not taken over. */
  readonly phase: "registering" | "ready";
  readonly nick: string;
  readonly user: string | undefined;
  readonly host: string | undefined;
  readonly capabilities: readonly string[];
  readonly isupport: Isupport;
  /** Unknown where an older version opened it. */
  readonly origin: Origin | undefined;
}

const stateSchema = z.object({
  role: z.object({
    network: z.string(),
    kind: z.enum(["bot", "puppet"]),
    user: z.string().optional(),
    name: z.string().optional(),
    account: z.string().optional(),
  }),
  phase: z.enum(["registering", "ready"]),
  nick: z.string(),
  user: z.string().optional(),
  host: z.string().optional(),
  capabilities: z.array(z.string()),
  isupport: z.array(z.tuple([z.string(), z.string()])),
  origin: z.object({ server: z.string(), settings: z.string() }).optional(),
});

export const BASE_KEY = "base";
/** Before the folded name of each channel the connection is in; the value is the name. */
export const CHANNEL_KEY = "channel:";

export function encodeState(state: ConnectionState): string {
  return JSON.stringify({ ...state, isupport: state.isupport.entries() });
}

/** `undefined` where the text is no state this version can go on with. */
export function decodeState(text: string): ConnectionState | undefined {
  const parsed = stateSchema.safeParse(JSON.parse(text));
  if (!parsed.success) return undefined;
  const { role, phase, nick, user, host, capabilities, isupport, origin } = parsed.data;
  const { network, kind } = role;
  return {
    role: {
      network,
      kind,
      ...(role.user === undefined ? {} : { user: role.user }),
      ...(role.name === undefined ? {} : { name: role.name }),
      ...(role.account === undefined ? {} : { account: role.account }),
    },
    phase,
    nick,
    user,
    host,
    capabilities,
    isupport: new Isupport(isupport),
    origin,
  };
}

/** What a connection knows of itself, of all that is kept with it. */
export function stateOf(changes: readonly StateChange[]): ConnectionState | undefined {
  const base = changes.find(([key]) => key === BASE_KEY)?.[1];
  return base === undefined ? undefined : decodeState(base);
}
