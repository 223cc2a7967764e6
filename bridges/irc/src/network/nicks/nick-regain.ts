import type { Connection } from "../../session/connection.js";
import { Priority } from "../../session/flood-control.js";
import type { IrcMessage } from "../../wire/message.js";

/** Asks the server to tell when a client's own nick, which somebody else has, becomes free. `MONITOR`, where it is offered. */
export function watchNick(connection: Connection, wanted: string): void {
  const { view } = connection;
  if (!view.isOwn(wanted) && view.isupport.get("MONITOR") !== undefined)
    connection.send(Priority.control, "MONITOR", ["+", wanted]);
}

/** Takes the nick back when a line of the client's connection says that it is free. */
export function regainNick(connection: Connection, { verb, params }: IrcMessage, own: boolean, wanted: string): void {
  const { view } = connection;
  if (verb === "NICK" && own && view.fold(params[0] ?? "") === view.fold(wanted)) {
    if (view.isupport.get("MONITOR") !== undefined) connection.send(Priority.control, "MONITOR", ["-", wanted]);
    return;
  }
  // RPL_MONOFFLINE: a list of nicks.
  if (verb !== "731" || view.isOwn(wanted)) return;
  const gone = (params[1] ?? "").split(",").map((nick) => view.fold(nick));
  if (gone.includes(view.fold(wanted))) connection.changeNick(wanted);
}

/** Somebody was seen to give a nick up: takes it back where the server has no MONITOR to say so. */
export function regainSeenFree(connection: Connection, folded: string, wanted: string): void {
  const { view } = connection;
  if (view.isupport.get("MONITOR") !== undefined || view.isOwn(wanted) || view.fold(wanted) !== folded) return;
  connection.changeNick(wanted);
}
