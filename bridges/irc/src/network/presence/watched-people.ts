import type { RemoteUserId } from "@trestle/core";
import type { Connection } from "../../session/connection.js";
import { Priority } from "../../session/flood-control.js";
import type { IrcMessage } from "../../wire/message.js";
import { accountOf, remoteUserIdOf } from "../ids.js";
import type { IrcNetwork } from "../irc-network.js";

/** So many people one client watches at most. */
const MOST = 50;
/** RPL_MONONLINE and RPL_MONOFFLINE. IRCv3 Monitor. */
const PRESENCE = { "730": "online", "731": "offline" } as const;

/** With whom puppets talk alone: whether they are on IRC, where the operator wants Matrix to know and the server tells. */
export class WatchedPeople {
  /** By connection the people it watches, by their folded nicks. */
  readonly #watched = new WeakMap<Connection, Map<string, RemoteUserId>>();

  constructor(
    private readonly network: Pick<IrcNetwork, "config" | "name" | "nickOf">,
    private readonly seen: (user: { id: RemoteUserId; name: string }, presence: "online" | "offline") => void,
  ) {}

  /** Somebody, by their folded nick or `$account`, has a private conversation through this connection. */
  watch(connection: Connection, person: string): void {
    const { view } = connection;
    const nick = this.network.nickOf(person) ?? (accountOf(person) === undefined ? person : undefined);
    const limit = view.isupport.get("MONITOR");
    if (!this.network.config.presence.toMatrix || limit === undefined || nick === undefined) return;
    const watched = this.#watched.get(connection) ?? new Map<string, RemoteUserId>();
    this.#watched.set(connection, watched);
    // One place is for the client's own nick, which it may wait for.
    const most = Math.min(MOST, Number(limit) > 0 ? Number(limit) - 1 : MOST);
    const folded = view.fold(nick);
    if (watched.has(folded) || watched.size >= most) return;
    watched.set(folded, remoteUserIdOf(this.network.name, person));
    connection.send(Priority.control, "MONITOR", ["+", nick]);
  }

  /** Takes note of who is there, and who is not. */
  note(connection: Connection, { verb, params }: IrcMessage): void {
    if (verb !== "730" && verb !== "731") return;
    for (const target of (params[1] ?? "").split(",")) {
      const [nick = ""] = target.split("!");
      const id = this.#watched.get(connection)?.get(connection.view.fold(nick));
      if (id !== undefined) this.seen({ id, name: nick }, PRESENCE[verb]);
    }
  }
}
