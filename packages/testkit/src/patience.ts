/**
 * How long something that must come is waited for where the caller names no bound, in milliseconds: 5000, as many times
 * longer as the environment variable `TRESTLE_PATIENCE` says, for machines that are slow or shared.
 */
export const usualPatienceMs = 5_000 * Math.max(1, Number(process.env["TRESTLE_PATIENCE"]) || 1);
