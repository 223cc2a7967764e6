type Parts = Readonly<Record<"year" | "month" | "day" | "weekday" | "hour" | "minute" | "second", string>>;

interface Moment {
  readonly at: Date;
  readonly timeZone: string;
}

/**
 * A moment written by Slack's template, such as `{date_long} at {time}`. Matrix messages stay as they are, so the
 * words that are true for a day (`today`, `3 minutes ago`) become dates. Times carry the zone. `undefined` where the
 * timestamp (in seconds) is no date, and where the template has no token that is known.
 */
export function formatDate(seconds: number, template: string, timeZone: string): string | undefined {
  const at = new Date(seconds * 1000);
  if (Number.isNaN(at.getTime())) return undefined;
  const names = Array.from(template.matchAll(token), ({ 1: name = "" }) => name).filter((name) => tokenOf(name));
  if (names.length === 0) return undefined;
  const text = template.replace(token, (all, name: string) => tokenOf(name)?.({ at, timeZone }) ?? all);
  return names.some((name) => /^time|^ago$/.test(name)) ? `${text} ${zoneName({ at, timeZone })}` : text;
}

const token = /\{([a-z_]{1,40})\}/g;

function tokenOf(name: string): ((moment: Moment) => string) | undefined {
  return Object.hasOwn(tokens, name) ? tokens[name] : undefined;
}

const tokens: Readonly<Record<string, (moment: Moment) => string>> = {
  date_num: (moment) => {
    const { year, month, day } = numbers(moment);
    return `${year}-${month}-${day}`;
  },
  date_slash: (moment) => {
    const { year, month, day } = numbers(moment);
    return `${day}/${month}/${year}`;
  },
  date: (moment) => words(moment, { month: "long", day: "numeric" }),
  date_pretty: (moment) => words(moment, { month: "long", day: "numeric" }),
  date_short: (moment) => words(moment, { month: "short", day: "numeric", year: "numeric" }),
  date_short_pretty: (moment) => words(moment, { month: "short", day: "numeric", year: "numeric" }),
  date_long: (moment) => words(moment, { weekday: "long", month: "long", day: "numeric", year: "numeric" }),
  date_long_pretty: (moment) => words(moment, { weekday: "long", month: "long", day: "numeric", year: "numeric" }),
  date_long_full: (moment) => words(moment, { month: "long", day: "numeric", year: "numeric" }),
  day_divider_pretty: (moment) => words(moment, { weekday: "long", month: "long", day: "numeric" }),
  time: clock,
  time_secs: (moment) => `${clock(moment)}:${numbers(moment).second}`,
  ago: (moment) => `${words(moment, { month: "short", day: "numeric", year: "numeric" })}, ${clock(moment)}`,
};

function words({ at, timeZone }: Moment, format: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat("en-US", { ...format, timeZone }).format(at);
}

function clock(moment: Moment): string {
  const { hour, minute } = numbers(moment);
  return `${hour}:${minute}`;
}

function numbers({ at, timeZone }: Moment): Parts {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    weekday: "long",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  });
  const found = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const part = (name: Intl.DateTimeFormatPartTypes): string => found.get(name) ?? "";
  return {
    year: part("year"),
    month: part("month"),
    day: part("day"),
    weekday: part("weekday"),
    hour: part("hour"),
    minute: part("minute"),
    second: part("second"),
  };
}

function zoneName({ at, timeZone }: Moment): string {
  if (timeZone === "UTC") return "UTC";
  const parts = new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "short" }).formatToParts(at);
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? timeZone;
}
