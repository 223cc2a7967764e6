export type CaseMapping = "ascii" | "rfc1459" | "rfc1459-strict" | "rfc7613";

/** The `CASEMAPPING` of ISUPPORT; what is not known is treated like the protocol's default. */
export function caseMappingOf(name: string | undefined): CaseMapping {
  switch (name) {
    case "ascii":
    case "rfc1459-strict":
    case "rfc7613":
      return name;
    case "strict-rfc1459":
      return "rfc1459-strict";
    default:
      return "rfc1459";
  }
}

/** The spelling under which a nick or channel is the same as another. */
export function fold(text: string, mapping: CaseMapping): string {
  switch (mapping) {
    case "rfc7613":
      return text.toLowerCase();
    case "ascii":
      return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
    case "rfc1459-strict":
      return text.replace(/[A-Z[\]\\]/g, lower);
    case "rfc1459":
      return text.replace(/[A-Z[\]\\^]/g, lower);
  }
}

/** The ranges of RFC 1459 §2.2 lie 32 apart. `~` is the lower case of `^`. */
function lower(character: string): string {
  return String.fromCharCode(character.charCodeAt(0) + 32);
}
