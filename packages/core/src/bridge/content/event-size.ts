/**
 * The largest content we send, in bytes of UTF-8 JSON. An event may have 65,536 with all its other fields
 * (specification, "Size limits"), of which the homeserver's own, such as hashes, signatures and references, need some.
 */
export const largestContent = 60 * 1024;

/** The length of an object in bytes of UTF-8 JSON. */
export function jsonBytes(value: object): number {
  return Buffer.byteLength(JSON.stringify(value));
}
