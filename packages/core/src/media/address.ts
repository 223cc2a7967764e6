import { isIP } from "node:net";

type Range = readonly [base: number, prefix: number];

/** What of IPv4 is not for the public (IANA special-purpose registry), with the one metadata address outside of it. */
const privateRanges: readonly Range[] = [
  range("0.0.0.0", 8),
  range("10.0.0.0", 8),
  range("100.64.0.0", 10),
  range("127.0.0.0", 8),
  range("169.254.0.0", 16),
  range("172.16.0.0", 12),
  range("192.0.0.0", 24),
  range("192.0.2.0", 24),
  range("192.88.99.0", 24),
  range("192.168.0.0", 16),
  range("198.18.0.0", 15),
  range("198.51.100.0", 24),
  range("203.0.113.0", 24),
  range("224.0.0.0", 4),
  range("240.0.0.0", 4),
  // Azure's metadata and management service.
  range("168.63.129.16", 32),
];

/**
 * Whether an IP address, as text, belongs to a host on the public internet. `false` for loopback, private, link-local,
 * unique local, carrier-grade NAT, multicast, documentation, reserved and metadata addresses, also where they are
 * embedded in IPv6, and for whatever is no address.
 */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return isPublicV4(v4Number(address));
    case 6:
      return isPublicV6(address);
    default:
      return false;
  }
}

function isPublicV4(address: number): boolean {
  return !privateRanges.some(([base, prefix]) => address >>> (32 - prefix) === base >>> (32 - prefix));
}

/** IPv6 by an allow-list: global unicast (2000::/3) without its special parts, and IPv4 that is mapped or translated (RFC 6052). */
function isPublicV6(address: string): boolean {
  const groups = v6Groups(address);
  if (groups === undefined) return false;
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = groups;
  const embedded = ((g << 16) | h) >>> 0;
  if (a === 0 && b === 0 && c === 0 && d === 0 && e === 0 && f === 0xffff) return isPublicV4(embedded);
  if (a === 0x64 && b === 0xff9b && c === 0 && d === 0 && e === 0 && f === 0) return isPublicV4(embedded);
  if (a >>> 13 !== 1) return false;
  // Protocol assignments (Teredo among them), documentation, 6to4.
  if (a === 0x2001 && (b < 0x200 || b === 0xdb8)) return false;
  return a !== 0x2002 && !(a === 0x3fff && b < 0x1000);
}

/** The eight 16-bit groups; `undefined` where there is a zone, which only local addresses have. */
function v6Groups(address: string): readonly number[] | undefined {
  if (address.includes("%")) return undefined;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  const text =
    dotted?.[1] !== undefined && dotted[2] !== undefined ? dotted[1] + hexGroups(v4Number(dotted[2])) : address;
  const [left = "", right] = text.split("::");
  const head = left === "" ? [] : left.split(":");
  const tail = right === undefined || right === "" ? [] : right.split(":");
  const gap = right === undefined ? 0 : 8 - head.length - tail.length;
  const groups = [...head, ...Array<string>(Math.max(0, gap)).fill("0"), ...tail].map((group) => parseInt(group, 16));
  return groups.length === 8 && groups.every((group) => group >= 0 && group <= 0xffff) ? groups : undefined;
}

function hexGroups(address: number): string {
  return `${(address >>> 16).toString(16)}:${(address & 0xffff).toString(16)}`;
}

function v4Number(address: string): number {
  return address.split(".").reduce((number, part) => ((number << 8) | Number(part)) >>> 0, 0);
}

function range(base: string, prefix: number): Range {
  return [v4Number(base), prefix];
}
