import type { Isupport } from "../../wire/isupport.js";

/** How a server writes a ban of an account; `undefined` where it has none. `ACCOUNTEXTBAN`, `EXTBAN`. */
export function accountBan(isupport: Isupport, account: string): string | undefined {
  const [prefix = "", letters = ""] = (isupport.get("EXTBAN") ?? "").split(",");
  const named = isupport.get("ACCOUNTEXTBAN")?.split(",")[0];
  if (named !== undefined && named !== "") return `${prefix}${named}:${account}`;
  if (prefix === "$" && letters.includes("a")) return `$a:${account}`;
  if (prefix === "~" && letters.includes("a")) return `~a:${account}`;
  // InspIRCd, whose extended bans have no prefix.
  if (prefix === "" && letters.includes("R")) return `R:${account}`;
  return undefined;
}

/** The account that a mask bans; `undefined` for a mask of another kind. */
export function bannedAccount(isupport: Isupport, mask: string): string | undefined {
  const colon = mask.indexOf(":");
  const account = mask.slice(colon + 1);
  return colon > 0 && account !== "" && accountBan(isupport, account) === mask ? account : undefined;
}

/** The masks that keep somebody out: their account where the server can ban that, otherwise their nicks. */
export function banMasks(isupport: Isupport, account: string | undefined, nicks: readonly string[]): readonly string[] {
  const byAccount = account === undefined ? undefined : accountBan(isupport, account);
  return byAccount === undefined ? nicks.map((nick) => `${nick}!*@*`) : [byAccount];
}
