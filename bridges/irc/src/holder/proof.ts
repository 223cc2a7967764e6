import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * What shows that one side of the socket knows the token, without saying it: the holder answers the bridge's nonce, the
 * bridge the holder's. A stranger who listens on the path learns nothing.
 */
export function proofOf(side: "holder" | "bridge", token: string, bridgeNonce: string, holderNonce: string): string {
  return createHmac("sha256", token).update(`${side}\n${bridgeNonce}\n${holderNonce}`).digest("hex");
}

export function proves(given: string, expected: string): boolean {
  const left = Buffer.from(given);
  const right = Buffer.from(expected);
  return left.length === right.length && timingSafeEqual(left, right);
}
