import type { Connection } from "../../session/connection.js";
import { Priority } from "../../session/flood-control.js";
import { parseMessage } from "../../wire/message.js";

/** What the bot tells the server when it has been let in: that it is a bot, and what the operator wants. */
export function introduceBot(connection: Connection, commands: readonly string[]): void {
  const { nick, isupport } = connection.view;
  const botMode = isupport.get("BOT");
  if (botMode !== undefined) connection.send(Priority.control, "MODE", [nick, `+${botMode || "B"}`]);
  sendCommands(connection, commands);
}

/** Sends lines of IRC, with `{nick}` replaced. */
export function sendCommands(connection: Connection, commands: readonly string[]): void {
  for (const command of commands) {
    const message = parseMessage(command.replaceAll("{nick}", () => connection.view.nick));
    if (message) connection.send(Priority.control, message.verb, message.params);
  }
}
