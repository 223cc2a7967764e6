import type { NetworkConfig } from "../config.js";
import type { Role } from "./state.js";

/** The real name of the bot, or of the client of a Matrix user, as the template makes it. */
export function realnameOf(
  { realname, puppetRealname }: Pick<NetworkConfig, "realname" | "puppetRealname">,
  { kind, user = "", name = "" }: Pick<Role, "kind" | "user" | "name">,
): string {
  if (kind === "bot") return realname;
  return puppetRealname.replaceAll("{user}", () => user).replaceAll("{name}", () => name);
}
