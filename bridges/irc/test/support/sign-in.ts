import { type Login, LoginId, type LoginSession, UserId } from "@trestle/core";
import type { RunningBridge } from "./running-bridge.js";
import { patiently } from "../../../../test/support/bounded.js";

export interface Typed {
  /** What a person types for each field; a function is asked every time. */
  readonly answers: Readonly<Record<string, string | (() => string | Promise<string>)>>;
  readonly user?: string;
  /** The only one there is where absent. */
  readonly network?: string;
  /** Where what is said to the person goes. */
  readonly told?: string[];
}

/** Somebody who signs in, and what they were told. */
export class Signing implements LoginSession {
  readonly user: UserId;
  readonly network: string;
  readonly said: string[];
  readonly signal = AbortSignal.timeout(patiently(60_000));

  constructor(private readonly typed: Typed) {
    this.network = typed.network ?? "net";
    this.said = typed.told ?? [];
    this.user = UserId(typed.user ?? "@alice:example.org");
  }

  readonly ask: LoginSession["ask"] = async <const Id extends string>(fields: readonly { readonly id: Id }[]) => {
    const values: [string, string][] = [];
    for (const { id } of fields) {
      const answer = this.typed.answers[id];
      values.push([id, typeof answer === "function" ? await answer() : (answer ?? "")]);
    }
    return Object.fromEntries(values) as Record<Id, string>;
  };

  readonly say: LoginSession["say"] = async (text) => void this.said.push(text);
}

/** Does what the core does when somebody types `login`. */
export async function signIn(bridge: RunningBridge, typed: Typed): Promise<Login> {
  const session = new Signing(typed);
  if (!bridge.handlers.login) throw new Error("the connector has no logins");
  const account = await bridge.handlers.login(session);
  const network = bridge.handlers.accountNetworks?.of(account);
  if (network !== session.network) throw new Error(`the account is one of ${network ?? "no network"}`);
  const login: Login = { id: LoginId(`login-${session.user}-${network}`), user: session.user, network, account };
  bridge.core.logins = [...bridge.core.logins, login];
  await bridge.handlers.signedIn?.(login);
  return login;
}
