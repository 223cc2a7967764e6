import { createHash, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Config, Registration } from "@trestle/core";

/**
 * Listens in Trestle's place while it does not run, to see whether the homeserver's ping arrives and with which token.
 * It takes no events: transactions are answered 503, so the homeserver keeps them.
 */
export interface StandIn {
  /** Of pings since the last call. */
  takeArrivals(): readonly Arrival[];
  close(): Promise<void>;
}

export interface Arrival {
  /** The registration whose `hs_token` it carried; `undefined` where it was another token. */
  readonly registration: string | undefined;
}

export type StandInStart =
  | { readonly started: true; readonly standIn: StandIn }
  | { readonly started: false; readonly code: string; readonly message: string };

export async function startStandIn({ listen }: Config, registrations: readonly Registration[]): Promise<StandInStart> {
  let arrivals: Arrival[] = [];
  const server = createServer((request, response) => {
    const registration = registrations.find((each) => sameToken(tokenOf(request), each.hsToken));
    const isPing = /^\/_matrix\/app\/(v1|unstable\/fi\.mau\.msc2659)\/ping(\?|$)/.test(request.url ?? "");
    if (isPing) arrivals.push({ registration: registration?.id });
    request.resume();
    if (registration === undefined) answer(response, 403, { errcode: "M_FORBIDDEN", error: "Wrong hs_token" });
    else if (isPing) answer(response, 200, {});
    else answer(response, 503, { errcode: "M_UNKNOWN", error: "Trestle is being examined; try again later" });
  });
  const error = await listenOn(server, listen.host, listen.port);
  if (error !== undefined) {
    const code = "code" in error && typeof error.code === "string" ? error.code : "";
    return { started: false, code, message: error.message };
  }
  const takeArrivals = (): readonly Arrival[] => {
    const taken = arrivals;
    arrivals = [];
    return taken;
  };
  return { started: true, standIn: { takeArrivals, close: () => closeServer(server) } };
}

function tokenOf(request: IncomingMessage): string {
  const header = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  return header ?? new URL(request.url ?? "/", "http://localhost").searchParams.get("access_token") ?? "";
}

function sameToken(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function listenOn(server: Server, host: string, port: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    server.once("error", resolve);
    server.listen(port, host, () => resolve(undefined));
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
