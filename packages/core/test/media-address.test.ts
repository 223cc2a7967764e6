import { describe, expect, it } from "@jest/globals";
import { BlockList } from "node:net";
import fc from "fast-check";
import { isPublicAddress } from "../dist/media/address.js";

const seed = 20261122;

/** The same ranges in the standard library's matcher, as an independent opinion. */
const privateV4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  ["168.63.129.16", 32],
];
const blocked = new BlockList();
for (const [base, prefix] of privateV4) blocked.addSubnet(base, prefix, "ipv4");

const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255));
/** Any address, and as often one at either end of a private range. */
const v4 = fc.oneof(
  octets.map((parts) => parts.join(".")),
  fc
    .tuple(fc.constantFrom(...privateV4), fc.constantFrom(-1, 0, 1), fc.boolean())
    .map(([[base, prefix], step, end]) => {
      const start = base.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
      const number = (start + (end ? 2 ** (32 - prefix) - 1 : 0) + step + 2 ** 32) % 2 ** 32;
      return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
    }),
);

describe("the address guard", () => {
  it("agrees with the standard library on every IPv4 address", () => {
    fc.assert(
      fc.property(v4, (address) => {
        expect(isPublicAddress(address)).toBe(!blocked.check(address, "ipv4"));
      }),
      { seed, numRuns: 3_000 },
    );
  });

  it("judges an IPv4 address the same when it is embedded in IPv6, in any spelling", () => {
    fc.assert(
      fc.property(
        v4,
        fc.constantFrom("::ffff:", "0:0:0:0:0:ffff:", "::FFFF:", "64:ff9b::"),
        fc.boolean(),
        (address, prefix, hex) => {
          const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
          const tail = hex ? `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}` : address;
          expect(isPublicAddress(prefix + tail)).toBe(isPublicAddress(address));
        },
      ),
      { seed, numRuns: 2_000 },
    );
  });

  it("takes no IPv6 address outside of global unicast", () => {
    const group = fc.nat(0xffff);
    fc.assert(
      fc.property(fc.tuple(group, group, group, group, group, group, group, group), (groups) => {
        const address = groups.map((part) => part.toString(16)).join(":");
        const first = groups[0];
        if (first >>> 13 !== 1) expect(isPublicAddress(address)).toBe(false);
      }),
      { seed, numRuns: 2_000 },
    );
  });

  it("has no opinion on text that is no address but no", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^[\d.]+$/.test(text) && !/^[\da-fA-F:.]+$/.test(text));
        expect(isPublicAddress(text)).toBe(false);
      }),
      { seed },
    );
  });

  it.each([
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.1.2.3",
    "172.31.255.255",
    "192.168.0.1",
    "169.254.169.254",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::127.0.0.1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001::1",
    "2001:db8::1",
    "3fff::1",
    "fec0::1",
    "",
    "localhost",
    "1.2.3",
    "01.2.3.4",
    "0x7f.1",
    "2130706433",
  ])("refuses %s", (address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each([
    "1.1.1.1",
    "8.8.8.8",
    "172.32.0.1",
    "100.128.0.1",
    "198.20.0.1",
    "2606:4700::1111",
    "2a00:1450::1",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
  ])("takes %s", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
});
