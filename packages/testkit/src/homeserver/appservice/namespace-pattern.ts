import type { NamespaceMatching } from "../profiles/profile.js";

/** The regex of a namespace, matched as the homeserver of the profile does. */
export function namespacePattern(
  regex: string,
  matching: NamespaceMatching,
  kind: "users" | "aliases" | "rooms",
): RegExp {
  const flags = matching.ignoreCase[kind] ? "i" : "";
  switch (matching.anchoring) {
    case "start":
      return new RegExp(`^(?:${regex})`, flags);
    case "anywhere":
      return new RegExp(regex, flags);
    case "glob":
      return new RegExp(`^${globToRegex(regex)}$`, `${flags}s`);
  }
}

function globToRegex(glob: string): string {
  return glob
    .replace(/[.+^${}()|[\]\\]/gu, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
}
