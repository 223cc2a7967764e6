export interface Coordinates {
  readonly latitude: number;
  readonly longitude: number;
}

/** Reads a `geo:` URI (RFC 5870); `undefined` where it is none, or not on this planet. */
export function coordinatesOf(uri: string): Coordinates | undefined {
  const parts = /^geo:([+-]?\d{1,3}(?:\.\d{1,20})?),([+-]?\d{1,3}(?:\.\d{1,20})?)(?=[,;?]|$)/i.exec(uri);
  const latitude = Number(parts?.[1] ?? Number.NaN);
  const longitude = Number(parts?.[2] ?? Number.NaN);
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : undefined;
}

/** Writes a `geo:` URI. */
export function geoUri({ latitude, longitude }: Coordinates): string {
  return `geo:${degrees(latitude, 90)},${degrees(longitude, 180)}`;
}

/** Degrees as people and RFC 5870 write them: six digits behind the point are 11 cm. */
export function degrees(value: number, most: number): string {
  const bounded = Number.isFinite(value) ? Math.min(Math.max(value, -most), most) : 0;
  const text = bounded.toFixed(6);
  return Number(text) === 0 ? "0" : String(Number(text)).includes("e") ? text : String(Number(text));
}
