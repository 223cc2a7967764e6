/**
 * The switches by which a homeserver misbehaves, or behaves as one of its kind does; the values here are those of the
 * bare specification. An *amount* is a number of repetitions whose fraction is a probability: 1 is once, 0.25 is once
 * in every fourth case.
 */
export class FaultSwitches {
  // -- transactions to application services -------------------------------------------------------------------------

  /** Amount: the same transaction again, id and body, after it was answered 200. */
  duplicateTransactions = 0;
  /** Amount: the same transaction again, but only after the one that follows it was accepted. */
  lateDuplicates = 0;
  /** Amount: the events of an accepted transaction once more in a new transaction (federation trouble does that). */
  repeatEvents = 0;
  /** Probability that the answer of a delivered transaction is lost, so that it is retried although it was accepted. */
  loseTransactionAnswers = 0;
  /** A retried transaction keeps its id and takes up the events that came meanwhile (Dendrite, Construct). */
  growRetriedTransactions = false;
  /**
   * `sequence`: 1, 2, 3 …; `content-hash`: a hash of the content, so that equal ephemeral transactions share one
   * (tuwunel); `timestamp`: nanoseconds of the first event's arrival (Dendrite); `position`: the first event's place
   * in the stream (Construct).
   */
  transactionIds: "sequence" | "content-hash" | "timestamp" | "position" = "sequence";
  /** Most events, and most ephemeral events, in one transaction. */
  maxTransactionEvents = 100;
  /** Most bytes of events in one transaction, though always one event; 0: no limit. */
  maxTransactionBytes = 0;
  /** Answers that count as success: `json`: 2xx with a JSON body; `2xx`: any body; `200`: that status alone. */
  acceptedAnswers: "json" | "2xx" | "200" = "2xx";
  /** Milliseconds to the answer after which the same transaction is sent again. Synapse: 60 000. */
  transactionTimeoutMs = 60_000;
  /** Milliseconds that each transaction waits before it is sent. */
  transactionDelayMs = 0;
  /** When a failed transaction is retried: after a pause, or `traffic`: no sooner than something new is queued. */
  retryOn: "pause" | "traffic" = "pause";
  /** First pause before a retry, in milliseconds; doubled after each further failure. */
  retryFirstMs = 2_000;
  /** Longest pause before a retry, in milliseconds. */
  retryMaxMs = 512_000;
  /** While the application service does not answer, each event becomes a transaction of its own (Synapse). */
  oneEventEachWhileDown = false;
  /** What was not delivered is forgotten when the homeserver stops (Construct). */
  loseQueueAtRestart = false;
  /** Which keys carry ephemeral data: as the registration asks (Synapse ≥ 1.156), or forced; `none`: it is not sent. */
  ephemeralNames: "registration" | "stable" | "unstable" | "both" | "none" = "stable";
  /** Which names messages to devices, their key counts and device lists have; nothing of it is stable in v1.19. */
  deviceMessageNames: "unstable" | "stable" | "none" = "unstable";
  /** Probability that an ephemeral event is lost on its way to the application service. */
  loseEphemeral = 0;
  /** A retried transaction comes without its ephemeral events and messages to devices, and none are kept meanwhile. */
  dropEphemeralOnRetry = false;
  /** Private read receipts of users outside the namespace are pushed as well (Synapse does, the specification forbids). */
  leakPrivateReceipts = false;
  /** Events carry `age` and `user_id`, as in the first releases of the specification. */
  legacyEventKeys = false;
  /** How the token reaches the application service: header, query parameter (Construct), or both (tuwunel). */
  token: "header" | "query" | "both" = "header";
  /** Un-prefixed `/transactions`, `/users`, `/rooms` of the first specification. */
  legacyPaths = false;
  /** An event reaches the application service before its sender has the answer to `/send`. */
  pushBeforeResponse = false;

  // -- answers to clients and application services ------------------------------------------------------------------

  /** Probability that the connection is closed after an answer that announced keep-alive. */
  dropKeepAlive = 0;
  /** `/appservice/{id}/ping` does not exist: 404 `M_UNRECOGNIZED` (Dendrite, Synapse < 1.81). */
  missingPing = false;
  /** A successful ping makes a failed transaction be retried at once (Synapse ≥ 1.132, tuwunel). */
  pingRetries = false;
  /** `/_matrix/media/v1/create` does not exist: 404 `M_UNRECOGNIZED` (Dendrite). */
  missingAsyncUpload = false;
  /** Media are served without a token by `/_matrix/media/v3` (servers before v1.11 of the specification). */
  legacyMedia = false;
  /**
   * Application services cannot log in (OAuth-only servers): registering without `inhibit_login` answers 400
   * `M_APPSERVICE_LOGIN_UNSUPPORTED` although the user was made, as Synapse does.
   */
  refuseServiceLogin = false;
  /**
   * What repeats of a client transaction are recognised by. `spec`: user, device and path; `synapse`: path and
   * application service, not the ghost; `dendrite`: token and path, which for ghosts is the same; `tuwunel`: user,
   * device and transaction id, not the room; `construct`: the user's last three ids, in any room, and a repeat is
   * answered 409 `M_DUPLICATE_TXNID`.
   */
  clientTransactions: "spec" | "synapse" | "dendrite" | "tuwunel" | "construct" = "spec";
  /** Every so many milliseconds the answers that are older than that are forgotten; 0: never. */
  clientTransactionSweepMs = 3_600_000;
  /** The newest version that `/versions` names (all of v1 before it are named, too), unless the options list them. */
  latestVersion = "v1.19";
  /** Synapse's default limits on what one user does: 429 with `Retry-After`. */
  rateLimits = false;
}

/** The values of the switches that take one of a few words. */
export const SWITCH_CHOICES: Readonly<Record<string, readonly string[]>> = {
  transactionIds: ["sequence", "content-hash", "timestamp", "position"],
  acceptedAnswers: ["json", "2xx", "200"],
  retryOn: ["pause", "traffic"],
  ephemeralNames: ["registration", "stable", "unstable", "both", "none"],
  deviceMessageNames: ["unstable", "stable", "none"],
  token: ["header", "query", "both"],
  clientTransactions: ["spec", "synapse", "dendrite", "tuwunel", "construct"],
};
