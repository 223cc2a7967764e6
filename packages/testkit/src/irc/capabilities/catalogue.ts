import type { Settings } from "../options.js";

/** Every IRCv3 capability the server knows. Each can be switched by options and while the server runs. */
export const CAPABILITIES = [
  "account-notify",
  "account-tag",
  "away-notify",
  "batch",
  "cap-notify",
  "chghost",
  "draft/chathistory",
  "draft/event-playback",
  "draft/message-redaction",
  "draft/multiline",
  "draft/relaymsg",
  "echo-message",
  "extended-join",
  "extended-monitor",
  "invite-notify",
  "labeled-response",
  "message-tags",
  "multi-prefix",
  "sasl",
  "server-time",
  "setname",
  "standard-replies",
  "sts",
  "userhost-in-names",
] as const;

export type Capability = (typeof CAPABILITIES)[number];

/** What stands between nick and network in a nick that RELAYMSG may use. */
export const RELAY_SEPARATOR = "/";

/** A strict transport security policy, as the `sts` capability announces it. */
export interface StsPolicy {
  /** Told to insecure clients; the server's own TLS port where absent. */
  readonly port?: number;
  /** Told to secure clients; 0 ends a policy they keep. */
  readonly durationSeconds: number;
  readonly preload?: boolean;
}

/** What a value depends on besides the settings. */
export interface CapabilityContext {
  readonly settings: Settings;
  readonly mechanisms: readonly string[];
  readonly sts: StsPolicy | undefined;
  readonly secure: boolean;
}

/** What stands behind the `=` in CAP LS 302; `undefined` where nothing does. */
export function capabilityValue(name: Capability, context: CapabilityContext): string | undefined {
  switch (name) {
    case "sasl":
      return context.mechanisms.join(",");
    case "sts":
      return stsValue(context);
    case "draft/multiline":
      return `max-bytes=${context.settings.limits.multilineBytes},max-lines=${context.settings.limits.multilineLines}`;
    case "draft/relaymsg":
      return RELAY_SEPARATOR;
    default:
      return undefined;
  }
}

/** Each kind of connection is told its part: the port to go to, or how long to stay. */
function stsValue({ sts, secure }: CapabilityContext): string | undefined {
  if (sts === undefined) return undefined;
  if (!secure) return `port=${sts.port ?? 0}`;
  return `duration=${sts.durationSeconds}${sts.preload === true ? ",preload" : ""}`;
}
