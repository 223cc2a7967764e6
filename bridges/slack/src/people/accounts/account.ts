import type { Login, LoginId, UserId } from "@trestle/core";
import { z } from "zod";
import { deadTokenCodes, Workspace, type RotatingToken, type SlackResult, type Token } from "../../link/index.js";
import type { Installation, WorkspaceRequest } from "../../link/index.js";

const secretSchema = z.object({
  team: z.string().min(1),
  user: z.string().min(1),
  token: z.string().min(1),
  refresh: z.string().min(1).optional(),
  expiresAt: z.coerce.number().optional(),
  lifetimeMs: z.coerce.number().optional(),
});

/** Who a login is in Slack, and the token they gave. */
export interface AccountSecret {
  readonly team: string;
  readonly user: string;
  readonly token: Token;
}

/** A Matrix user's own account in one workspace. */
export interface Account extends Pick<AccountSecret, "team" | "user"> {
  readonly login: LoginId;
  readonly matrixUser: UserId;
  /** Shown in lists. */
  readonly name: string;
  readonly token: RotatingToken;
  /** When they signed in, in milliseconds since 1970; 0 where that was before the start. */
  readonly since: number;
}

/** As the core keeps it. */
export function writeSecret({ team, user, token }: AccountSecret): Readonly<Record<string, string>> {
  const { value, refresh, expiresAt, lifetimeMs } = token;
  return {
    team,
    user,
    token: value,
    ...(refresh !== undefined && { refresh }),
    ...(expiresAt !== undefined && { expiresAt: String(expiresAt) }),
    ...(lifetimeMs !== undefined && { lifetimeMs: String(lifetimeMs) }),
  };
}

/** `undefined` where another version wrote it in another form. */
export function readSecret({ account }: Login): AccountSecret | undefined {
  const parsed = secretSchema.safeParse(account.secret);
  if (!parsed.success) return undefined;
  const { team, user, token, refresh, expiresAt, lifetimeMs } = parsed.data;
  return {
    team,
    user,
    token: {
      value: token,
      ...(refresh !== undefined && { refresh }),
      ...(expiresAt !== undefined && { expiresAt }),
      ...(lifetimeMs !== undefined && { lifetimeMs }),
    },
  };
}

/** With these no token of a person is of use any more. */
const endingCodes: ReadonlySet<string> = new Set([...deadTokenCodes, "invalid_refresh_token"]);
/** Until then it is known whether the sign-in has ended, and who speaks instead. */
const anotherTryMs = 1_000;

/** A workspace as somebody who signed in sees it. */
export class AccountWorkspace extends Workspace {
  constructor(
    installation: Installation,
    api: Workspace["api"],
    readonly account: Account,
    /** Slack refused the token. */
    readonly onRefused: (code: string) => void,
  ) {
    super(installation, api, account.token, { refused: () => undefined, accepted: () => undefined });
  }

  override async call<Schema extends z.ZodType>(
    request: WorkspaceRequest<Schema>,
  ): Promise<SlackResult<z.output<Schema>>> {
    const result = await super.call(request);
    if (result.ok || result.code === undefined || !endingCodes.has(result.code)) return result;
    this.onRefused(result.code);
    const reason = `Slack does not accept the sign-in of ${this.account.matrixUser} (${result.code})`;
    return { ...result, reason, afterMs: anotherTryMs };
  }
}
