/** Degrees as people and `geo:` URIs (RFC 5870) write them, `-0.1247`: without exponent; six digits behind the point are 11 cm. */
export function formatDegrees(degrees: number): string {
  const text = Number.isFinite(degrees) ? degrees.toFixed(6).replace(/\.?0+$/, "") : "0";
  return text === "-0" ? "0" : text;
}
