import type { SpecValidator } from "../spec/validator.js";

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
  /** Version of rooms created without one. Default `11`. */
  readonly defaultRoomVersion?: "11" | "12";
  /** Seed of the generator that decides about faults with a probability. Default 1. */
  readonly seed?: number;
  /**
   * First and longest pause, in milliseconds, before a failed transaction is retried. Synapse: 2 000 and 512 000;
   * default here a hundredth of that, so that tests need not wait.
   */
  readonly retry?: { readonly firstMs: number; readonly maxMs: number };
  /**
   * Validates the exchanges with application services and clients against the specification. `true` (the default)
   * where its data is present, `false` never, or a validator of one's own.
   */
  readonly validate?: boolean | SpecValidator;
  /** `stop()` does not reject because of deviations from the specification; they are in `specDeviations` all the same. */
  readonly expectDeviations?: boolean;
  /** The versions that `/versions` answers. Default `v1.1` to `v1.12`, as Synapse. */
  readonly versions?: readonly string[];
  /** How many requests the log of {@link Homeserver.requests} keeps; its counters are exact. Default 1 000. */
  readonly requestLogSize?: number;
  /** Milliseconds after which a created but never uploaded medium is gone. Default 24 hours. */
  readonly pendingUploadMs?: number;
}
