import type { NetworkHandlers } from "../connector/handlers.js";

const names = [
  "split",
  "message",
  "edit",
  "redact",
  "react",
  "unreact",
  "pin",
  "unpin",
  "membership",
  "invite",
  "role",
  "settings",
  "topic",
  "name",
  "picture",
  "typing",
  "receipt",
  "presence",
  "findSent",
  "interpret",
  "holdBack",
  "linked",
  "unlinked",
  "resolveChannel",
  "resolveUser",
  "consent",
  "createChannel",
  "spaceOf",
  "directChannel",
  "openMedia",
  "catchUp",
  "login",
  "signedIn",
  "logout",
  "suspendUser",
  "close",
] as const satisfies readonly (keyof NetworkHandlers)[];

/** Handlers that may be called on their own, also where a connector returned an instance of a class. */
export function bindHandlers(handlers: NetworkHandlers): NetworkHandlers {
  const { limits, idempotent, commands, accountNetworks } = handlers;
  const bound: Record<string, unknown> = { limits, idempotent, commands, accountNetworks };
  for (const name of names) {
    const handler = handlers[name];
    if (handler) bound[name] = handler.bind(handlers);
  }
  return { ...handlers, ...bound };
}
