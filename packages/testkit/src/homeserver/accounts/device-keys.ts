import type { JsonObject } from "../json.js";
import type { Device } from "./accounts.js";

/** Unclaimed one-time keys by algorithm; `signed_curve25519` is always named. */
export function oneTimeKeyCounts(device: Device): JsonObject {
  const counts: Record<string, number> = { signed_curve25519: 0 };
  for (const id of device.keys.oneTime.keys()) {
    const algorithm = algorithmOf(id);
    counts[algorithm] = (counts[algorithm] ?? 0) + 1;
  }
  return counts;
}

/** Algorithms whose fallback key nobody has claimed yet. */
export function unusedFallbackKeyTypes(device: Device): string[] {
  const unused = [...device.keys.fallback.keys()].filter((id) => !device.keys.usedFallback.has(id));
  return [...new Set(unused.map(algorithmOf))];
}

/** `signed_curve25519` of `signed_curve25519:AAAAHg`. */
export function algorithmOf(keyId: string): string {
  return keyId.slice(0, Math.max(0, keyId.indexOf(":")));
}
