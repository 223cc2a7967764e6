import { createHmac } from "node:crypto";
import { isIPv6 } from "node:net";

const UNIQUE_LOCAL = "fd00::/8";

/**
 * The IPv6 address of a Matrix user inside a prefix such as `2001:db8::/64`: the same for ever for the same key, without
 * a counter and without a table, and telling nobody who it is.
 */
export function addressOf(key: Uint8Array, user: string, prefix = UNIQUE_LOCAL): string {
  const { bytes, bits } = parsePrefix(prefix);
  const hash = createHmac("sha256", key).update("trestle irc address\0").update(user).digest();
  const address = bytes.map((byte, index) => {
    const kept = Math.min(8, Math.max(0, bits - index * 8));
    const mask = (0xff << (8 - kept)) & 0xff;
    return (byte & mask) | ((hash[index] ?? 0) & ~mask & 0xff);
  });
  // The all-zero host is the routers' (RFC 4291 §2.6.1).
  if (bits < 128 && address.every((byte, index) => byte === bytes[index])) address[15] = (address[15] ?? 0) | 1;
  return groupsOf(address);
}

/** A word that stands for a Matrix user in a host's name. */
export function hostWordOf(key: Uint8Array, user: string): string {
  return createHmac("sha256", key).update("trestle irc host\0").update(user).digest("hex").slice(0, 16);
}

/** Whether `text` is an IPv6 prefix with its length. */
export function isPrefix(text: string): boolean {
  const [address = "", length = ""] = text.split("/");
  return isIPv6(address) && !address.includes(".") && /^\d{1,3}$/.test(length) && Number(length) <= 120;
}

function parsePrefix(text: string): { readonly bytes: readonly number[]; readonly bits: number } {
  if (!isPrefix(text)) throw new RangeError(`"${text}" is no IPv6 prefix such as 2001:db8::/64`);
  const [address = "", length = ""] = text.split("/");
  const [head = "", tail] = address.split("::");
  const groups = (part: string): string[] => part.split(":").filter((group) => group !== "");
  const [before, after] = [groups(head), groups(tail ?? "")];
  const all = [...before, ...Array.from({ length: 8 - before.length - after.length }, () => "0"), ...after];
  const values = all.map((group) => Number.parseInt(group, 16));
  return { bytes: values.flatMap((value) => [value >> 8, value & 0xff]), bits: Number(length) };
}

function groupsOf(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, index) => ((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0));
  return groups.map((group) => group.toString(16)).join(":");
}
