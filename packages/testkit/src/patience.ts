/**
 * How many times longer than usual a test kit waits for what must come, where the caller names no bound: the environment
 * variable `TRESTLE_PATIENCE`, for machines that are slow or shared; 1 where absent.
 */
export const patience = Math.max(1, Number(process.env["TRESTLE_PATIENCE"]) || 1);

/** How long something that must come is waited for where the caller names no bound, in milliseconds. */
export const usualPatienceMs = 5_000 * patience;
