/** What a server says about TLS. IRCv3 strict transport security, the value of `sts`. */
export interface StsPolicy {
  /** Where it speaks TLS; said on plain connections. */
  readonly port: number | undefined;
  /** How long the policy holds, in seconds; said on connections with TLS, 0 ends it. */
  readonly duration: number | undefined;
}

/** Reads `port=6697,duration=2592000`; `undefined` where it says neither. */
function stsPolicyOf(value: string): StsPolicy | undefined {
  const number = (name: string, most: number): number | undefined => {
    const text = new RegExp(`(?:^|,)${name}=(\\d{1,15})(?:,|$)`).exec(value)?.[1];
    return text === undefined ? undefined : Math.min(Number(text), most);
  };
  const policy = { port: number("port", 65_535), duration: number("duration", 10 * 365 * 86_400) };
  return policy.port === undefined && policy.duration === undefined ? undefined : policy;
}

/** What a list of capabilities (`CAP LS`) says about TLS. */
export function offeredStsPolicy(capabilities: string): StsPolicy | undefined {
  const offered = capabilities.split(" ").find((name) => name.startsWith("sts="));
  return offered === undefined ? undefined : stsPolicyOf(offered.slice("sts=".length));
}
