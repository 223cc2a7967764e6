import pc from "picocolors";
import type { Access } from "./page-events.js";

/** What `npm start` prints once messages cross. */
export function banner(url: string, access: Access, startMs: number): string {
  const { homeserverUrl, roomAlias, user, password, network } = access;
  return [
    "",
    `  ${pc.bold("Trestle playground")}  ${pc.dim(`a Matrix room and ${network.place}, bridged in ${(startMs / 1000).toFixed(1)} s`)}`,
    "",
    `  ${pc.green("➜")}  Open ${pc.bold(pc.cyan(url))}`,
    "",
    `  Or join in with clients of your own:`,
    `    ${network.name.padEnd(7)}  ${network.access.join("    then  ")}`,
    `    Matrix   homeserver ${homeserverUrl}   user ${user}   password ${password}   room ${roomAlias}`,
    "",
    `  Next, with your own homeserver:  ${pc.bold(network.command)}`,
    `    ${network.next}`,
    `  Ctrl-C ends the playground and removes everything it made.`,
    "",
    "",
  ].join("\n");
}
