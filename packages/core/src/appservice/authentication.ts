import { hash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

export type Authentication<Target> =
  | { readonly ok: true; readonly target: Target }
  | { readonly ok: false; readonly status: 401 | 403; readonly errcode: string; readonly error: string };

/** Finds out, in constant time, which registration's homeserver token a request carries. */
export class HomeserverTokens<Target> {
  #known: readonly { readonly digest: Buffer; readonly target: Target }[] = [];

  constructor(known: readonly { readonly token: string; readonly target: Target }[]) {
    this.replace(known);
  }

  /** From now on these are known, and no others. */
  replace(known: readonly { readonly token: string; readonly target: Target }[]): void {
    this.#known = known.map(({ token, target }) => ({ digest: digestOf(token), target }));
  }

  /** Accepts `Authorization: Bearer` and the older `?access_token=`; where both are given, both must agree (AS API, "Authorization"). */
  authenticate(request: IncomingMessage, query: URLSearchParams): Authentication<Target> {
    const header = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
    const parameter = query.get("access_token") ?? undefined;
    if (header === undefined && parameter === undefined) {
      return {
        ok: false,
        status: 401,
        errcode: "M_MISSING_TOKEN",
        error: "The request carries no token: send the hs_token of the registration.",
      };
    }
    const target = this.#find(header ?? parameter ?? "");
    const agrees =
      header === undefined || parameter === undefined || timingSafeEqual(digestOf(header), digestOf(parameter));
    if (target === undefined || !agrees) {
      return {
        ok: false,
        status: 403,
        errcode: "M_FORBIDDEN",
        error: "The token is not the hs_token of a registration here.",
      };
    }
    return { ok: true, target };
  }

  #find(token: string): Target | undefined {
    const digest = digestOf(token);
    let found: Target | undefined;
    for (const known of this.#known) if (timingSafeEqual(known.digest, digest)) found = known.target;
    return found;
  }
}

function digestOf(token: string): Buffer {
  return hash("sha256", token, "buffer");
}
