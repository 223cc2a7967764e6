import type { ServiceExchange } from "./appservice/client.js";
import { systemClock } from "./clock.js";
import { Faults } from "./faults/faults.js";
import { TransactionCache } from "./http/transaction-cache.js";
import { MediaStore } from "./media/media-store.js";
import type { HomeserverOptions } from "./options.js";
import { isProfileName, profileNames, profiles } from "./profiles/profiles.js";
import { World } from "./world.js";
import type { Service } from "./world.js";

const DAY_MS = 24 * 60 * 60 * 1000;
/** Synapse's pauses, a hundredth of them. */
const QUICK_RETRY = { retryFirstMs: 20, retryMaxMs: 5_120 };

/** The world that the options describe. @throws Error for an unknown profile */
export function createWorld(
  options: HomeserverOptions,
  onServiceExchange: ((service: Service, exchange: ServiceExchange) => void) | undefined,
): World {
  const name = options.profile ?? "synapse";
  if (!isProfileName(name)) {
    throw new Error(`there is no profile '${String(name)}'; there are ${profileNames.join(", ")}`);
  }
  const profile = profiles[name];
  const clock = options.clock ?? systemClock;
  const faults = new Faults(options.seed ?? 1, { ...profile.switches, ...retryOf(options) });
  return new World(
    {
      serverName: options.serverName ?? "localhost.test",
      profile,
      clock,
      defaultRoomVersion: options.defaultRoomVersion ?? profile.defaultRoomVersion,
      versions: options.versions,
      faults,
    },
    new MediaStore(options.pendingUploadMs ?? DAY_MS, clock),
    new TransactionCache(clock, faults),
    onServiceExchange,
  );
}

function retryOf({ retry, profile, clock }: HomeserverOptions): { retryFirstMs?: number; retryMaxMs?: number } {
  if (retry !== undefined) return { retryFirstMs: retry.firstMs, retryMaxMs: retry.maxMs };
  return profile === undefined && clock === undefined ? QUICK_RETRY : {};
}
