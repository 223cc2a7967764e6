/** A link to a message in Slack. */
export interface MessageLink {
  readonly url: string;
  /** The host, e.g. `acme.slack.com`: which workspace it is. */
  readonly host: string;
  readonly channel: string;
  readonly ts: string;
  /** The first message of the thread that the message stands in. */
  readonly threadTs?: string;
}

/** A link to a channel in Slack. */
export interface ChannelLink {
  readonly host: string;
  readonly channel: string;
}

const path =
  /^https:\/\/([a-z0-9.-]{1,200}\.slack\.com)\/archives\/([CDG][A-Z0-9]{1,30})(?:\/p(\d{10})(\d{6}))?\/?(?:\?([^#]*))?(?:#.*)?$/;

/** What a URL points to, such as `https://acme.slack.com/archives/C1/p1700000000000100?thread_ts=1700000000.000000`. */
export function slackLinkOf(url: string): MessageLink | ChannelLink | undefined {
  if (url.length > 2_048) return undefined;
  const [, host, channel, seconds, micros, query] = path.exec(url) ?? [];
  if (host === undefined || channel === undefined) return undefined;
  if (seconds === undefined || micros === undefined) return { host, channel };
  const threadTs = new URLSearchParams(query ?? "").get("thread_ts");
  const thread = threadTs !== null && /^\d{1,12}\.\d{6}$/.test(threadTs) ? { threadTs } : {};
  return { url, host, channel, ts: `${seconds}.${micros}`, ...thread };
}
