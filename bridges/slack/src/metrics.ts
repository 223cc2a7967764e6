import type { ConnectorMetrics } from "@trestle/core";
import type { LinkOptions } from "./link/index.js";

type LinkObservers = Required<Pick<LinkOptions, "onApiCall" | "onRepair" | "onTaken" | "onSocket">>;

/** What the bridge tells of itself on `GET /metrics`; docs/metrics-slack.md lists it. */
export class SlackMetrics implements LinkObservers {
  readonly #events;
  readonly #calls;
  readonly #callSeconds;
  readonly #limitedSeconds;
  readonly #sockets;
  readonly #taken;
  readonly #repairs;
  readonly #repaired;
  readonly #webhookPosts;

  constructor(metrics: ConnectorMetrics) {
    this.#events = metrics.counter("events_total", "Events from Slack whose turn had come, by what was made of them", {
      type: 80,
      outcome: ["bridged", "ignored", "unknown"],
    });
    this.#calls = metrics.counter(
      "api_calls_total",
      "Requests to Slack's Web API by method and outcome: ok, Slack's error code, or retry, permanent, uncertain where it gave none",
      { method: 60, outcome: 60 },
    );
    this.#callSeconds = metrics.histogram("api_call_seconds", "Duration of requests to Slack's Web API", {
      method: 60,
    });
    this.#limitedSeconds = metrics.counter(
      "rate_limited_seconds_total",
      "How long Slack asked that a method be left alone (429), added up",
      { method: 60 },
    );
    this.#sockets = metrics.counter(
      "socket_connections_total",
      "Connections of Socket Mode: opened (anew or to renew one), and failures that left one closed for a while",
      { outcome: ["opened", "failed"] },
    );
    this.#taken = metrics.histogram(
      "acknowledge_seconds",
      "Time from the arrival of what Slack sent until it was on disk and could be acknowledged; refused: the disk did not take it",
      { transport: ["socket", "http", "webhook"], outcome: ["taken", "ignored", "foreign", "refused"] },
    );
    this.#repairs = metrics.counter("repairs_total", "Channels that were looked through for what was missed");
    this.#repaired = metrics.counter(
      "repaired_events_total",
      "Messages, edits, deletions and reactions that had been missed and were made up for",
    );
    this.#webhookPosts = metrics.counter("webhook_posts_total", "Posts to incoming webhooks by outcome", {
      outcome: ["ok", "retry", "permanent", "uncertain"],
    });
  }

  readonly event = (type: string, outcome: "bridged" | "ignored" | "unknown"): void =>
    this.#events.add({ type, outcome });

  readonly webhookPost = (outcome: "ok" | "retry" | "permanent" | "uncertain"): void =>
    this.#webhookPosts.add({ outcome });

  readonly onApiCall: LinkObservers["onApiCall"] = ({ method, outcome, ms, limitedForMs }) => {
    this.#calls.add({ method, outcome });
    this.#callSeconds.observe({ method }, ms / 1_000);
    if (limitedForMs !== undefined) this.#limitedSeconds.add({ method }, limitedForMs / 1_000);
  };

  readonly onRepair: LinkObservers["onRepair"] = ({ missed }) => {
    this.#repairs.add({});
    this.#repaired.add({}, missed);
  };

  readonly onTaken: LinkObservers["onTaken"] = ({ transport, outcome, ms }) =>
    this.#taken.observe({ transport, outcome }, ms / 1_000);

  readonly onSocket: LinkObservers["onSocket"] = (outcome) => this.#sockets.add({ outcome });
}
