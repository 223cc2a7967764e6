import type { LaunchedServer } from "./launched-server.js";

/** What an XMPP server of the tests is made of. */
export interface XmppServerOptions {
  /** Accounts on `localhost`; the password is the name where none is given. */
  readonly users?: readonly (string | XmppUser)[];
  /** Components besides {@link XmppServer.component}, with the same secret. */
  readonly components?: readonly string[];
  /** Clients may ask for TLS, with a certificate that nobody has signed. Of Prosody. */
  readonly tls?: boolean;
}

export interface XmppUser {
  readonly name: string;
  readonly password: string;
}

export function usersOf({ users = [] }: XmppServerOptions): XmppUser[] {
  return users.map((user) => (typeof user === "string" ? { name: user, password: user } : user));
}

/** A real XMPP server with one domain, rooms that keep an archive, file upload and a place for a component. */
export interface XmppServer {
  readonly name: "Prosody" | "ejabberd";
  readonly process: LaunchedServer;
  readonly host: "127.0.0.1";
  /** For people. */
  readonly clientPort: number;
  readonly componentPort: number;
  readonly httpPort: number;
  readonly domain: "localhost";
  /** Where rooms are: anybody may make one, which is open at once. */
  readonly rooms: "rooms.localhost";
  /** Where a room that was made is closed to others until its owner has configured it, if the server does that. */
  readonly lockedRooms: string;
  readonly upload: "upload.localhost";
  readonly component: "bridge.localhost";
  readonly secret: "correct horse";
}

/** What is the same with every server. */
export const xmppNames = {
  host: "127.0.0.1",
  domain: "localhost",
  rooms: "rooms.localhost",
  upload: "upload.localhost",
  component: "bridge.localhost",
  secret: "correct horse",
} as const;
