/**
 * How many times longer than usual a test waits for what must come before it gives up: `TRESTLE_PATIENCE`, for a machine
 * that is slow or shared; 1 where absent.
 */
export const patience = parsePatience(process.env["TRESTLE_PATIENCE"]);

/** The bound, in milliseconds, of a wait that is `milliseconds` on a machine of one's own. */
export function patiently(milliseconds: number): number {
  return milliseconds * patience;
}

function parsePatience(text = "1"): number {
  const times = Number(text);
  if (!(times >= 1)) throw new RangeError(`TRESTLE_PATIENCE is "${text}": expected a number of at least 1`);
  return times;
}
