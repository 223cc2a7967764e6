import type { Connection, ConnectionOwner } from "../../session/connection.js";
import type { SignInResult } from "../../session/sasl/credentials.js";

const TRIAL_WITHIN_MS = 60_000;
const MOST_NICKS = 8;

export interface TrialOptions {
  /** Opens a connection that signs in with the credentials on trial. */
  readonly open: (owner: ConnectionOwner) => Connection;
  readonly signal: AbortSignal;
  readonly ended: (connection: Connection) => void;
  readonly nick: () => string;
}

/**
 * Signs in once and hangs up before anybody on the network can see it. Rejects with an `Error` for a person where the
 * network does not take the credentials, or cannot be asked.
 */
export async function tryAccount(options: TrialOptions): Promise<Extract<SignInResult, { signedIn: true }>> {
  const { signal } = options;
  let connection: Connection | undefined;
  let nicks = 0;
  const stop = new AbortController();
  try {
    return await new Promise((resolve, reject) => {
      const giveUp = () => reject(new Error("the network did not answer in time"));
      signal.addEventListener("abort", giveUp, { once: true, signal: stop.signal });
      const timer = setTimeout(giveUp, TRIAL_WITHIN_MS);
      stop.signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
      connection = options.open({
        claiming: () => undefined,
        nextNick: () => (++nicks < MOST_NICKS ? options.nick() : undefined),
        signedIn: (_connection, result) => {
          if (result.signedIn) resolve(result);
          else reject(new Error(result.reason));
          return "enough";
        },
        ready: () => reject(new Error("the server let us in without an account")),
        line: () => undefined,
        ended: (ended, { reason }) => {
          options.ended(ended);
          reject(new Error(reason));
        },
      });
    });
  } finally {
    stop.abort();
    connection?.quit("");
  }
}
