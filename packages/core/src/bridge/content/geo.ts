import { formatDegrees } from "../../connector/degrees.js";

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

/** Writes a `geo:` URI; what is not on this planet is moved to its edge. */
export function geoUri({ latitude, longitude }: Coordinates): string {
  return `geo:${formatDegrees(within(latitude, 90))},${formatDegrees(within(longitude, 180))}`;
}

function within(degrees: number, most: number): number {
  return Math.min(Math.max(degrees, -most), most);
}
