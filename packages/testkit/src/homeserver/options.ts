import type { SpecValidator } from "../spec/validator.js";
import type { Clock } from "./clock.js";
import type { ProfileName } from "./profiles/profile.js";

/** How to start a {@link Homeserver}. Everything has a default. */
export interface HomeserverOptions {
  /** The domain of its users and aliases. Default `localhost.test`. */
  readonly serverName?: string;
  /** Loopback port; 0 (the default) takes a free one. */
  readonly port?: number;
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /** Registrations of application services, as read from their files. */
  readonly registrations?: readonly unknown[];
  /** Which homeserver it behaves as; {@link Profile} lists the differences. Default `synapse`. */
  readonly profile?: ProfileName;
  /**
   * What it takes its time from: time stamps, retries, waits for answers of application services, and everything that
   * expires. Default the machine's; with a `ManualClock` the test advances it. Long polls always wait in real time.
   */
  readonly clock?: Clock;
  /** Version of rooms created without one. Default that of the profile. */
  readonly defaultRoomVersion?: "11" | "12";
  /** Seed of the generator that decides about faults with a probability. Default 1. */
  readonly seed?: number;
  /**
   * First and longest pause, in milliseconds, before a failed transaction is retried. Default that of the `profile` or,
   * where neither a profile nor a clock is given, a hundredth of Synapse's 2 000 and 512 000, so that tests need not wait.
   */
  readonly retry?: { readonly firstMs: number; readonly maxMs: number };
  /**
   * Validates the exchanges with application services and clients against the specification. `true` (the default)
   * where its data is present, `false` never, or a validator of one's own.
   */
  readonly validate?: boolean | SpecValidator;
  /** `stop()` does not reject because of deviations from the specification; they are in `specDeviations` all the same. */
  readonly expectDeviations?: boolean;
  /** The versions that `/versions` answers. Default those of the profile. */
  readonly versions?: readonly string[];
  /** How many requests the log of {@link Homeserver.requests} keeps; its counters are exact. Default 1 000. */
  readonly requestLogSize?: number;
  /** Milliseconds after which a created but never uploaded medium is gone. Default 24 hours. */
  readonly pendingUploadMs?: number;
}
