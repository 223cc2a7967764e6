import { isNativeError } from "node:util/types";

const hidden = "[redacted]";
const secretKey =
  /^(?:.*(?:password|passwd|secret|token|authorization|cookie|api_?key|encryptionkey|credential).*|pass|sasl)$/i;
const patterns: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic)(\s+)[A-Za-z0-9\-._~+/=]{4,}/gi, `$1$2${hidden}`],
  [/([?&](?:access_token|token|sig|signature|key)=)[^&\s"'#]+/gi, `$1${hidden}`],
  [/("?\b(?:as_token|hs_token|access_token|password|secret)"?\s*[:=]\s*"?)[^\s"',}&]+/gi, `$1${hidden}`],
  [/(\/\/[^/\s:@]+:)[^/\s@]+(@)/g, `$1${hidden}$2`],
  [/\bxox[a-z]-[A-Za-z0-9-]+/g, hidden],
  [/\bxapp-[A-Za-z0-9-]+/g, hidden],
];
const maxDepth = 6;

/** Text without the secrets that have a recognisable shape: bearer tokens, tokens in URLs, `as_token: …`, Slack tokens, passwords in URLs. */
export function redactText(text: string): string {
  return patterns.reduce((current, [pattern, replacement]) => current.replace(pattern, replacement), text);
}

/** A copy of a value in which whatever is stored under a secret's name, or looks like a secret, is replaced. */
export function redactValue(value: unknown, key = "", depth = 0): unknown {
  if (value === undefined || value === null || typeof value === "boolean") return value;
  if (secretKey.test(key) && (typeof value === "string" || typeof value === "object")) return hidden;
  if (typeof value === "string") return redactText(value);
  if (typeof value !== "object") return value;
  if (depth >= maxDepth) return "[too deep]";
  if (Array.isArray(value)) return value.map((item: unknown) => redactValue(item, "", depth + 1));
  return redactObject(value, depth);
}

function redactObject(value: object, depth: number): unknown {
  if (isError(value)) {
    return redactValue({ type: value.name, message: value.message, stack: value.stack }, "", depth + 1);
  }
  if (value instanceof Date) return value;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if ("toJSON" in value && typeof value.toJSON === "function") {
    return redactValue(Reflect.apply(value.toJSON, value, []), "", depth + 1);
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, item]: [string, unknown]) => [name, redactValue(item, name, depth + 1)]),
  );
}

/** Also of errors of another realm. */
export function isError(value: unknown): value is Error {
  return value instanceof Error || isNativeError(value);
}
