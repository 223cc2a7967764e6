/** Capabilities that are asked for when a server offers them later (`CAP NEW`). */
const WANTED: ReadonlySet<string> = new Set([
  "message-tags",
  "server-time",
  "echo-message",
  "labeled-response",
  "batch",
  "account-tag",
  "account-notify",
  "extended-join",
  "multi-prefix",
  "chghost",
  "setname",
  "away-notify",
  "draft/message-redaction",
  "draft/relaymsg",
]);

/** Follows what the server adds and takes away after the way in. IRCv3 capability negotiation, `cap-notify`. */
export class CapabilityChanges {
  constructor(
    private readonly enabled: Set<string>,
    private readonly request: (names: string) => void,
  ) {}

  /** Takes the parameters of a `CAP`; returns whether what is enabled has changed. */
  take(params: readonly string[]): boolean {
    const names = (params.at(-1) ?? "").split(" ").map((name) => name.replace(/=.*/, ""));
    switch (params[1]?.toUpperCase()) {
      case "NEW": {
        const wanted = names.filter((name) => WANTED.has(name) && !this.enabled.has(name));
        if (wanted.length > 0) this.request(wanted.join(" "));
        return false;
      }
      case "DEL":
        for (const name of names)
          for (const each of [...this.enabled]) if (each.replace(/=.*/, "") === name) this.enabled.delete(each);
        return true;
      case "ACK":
        for (const name of names.filter((each) => each !== "")) {
          if (name.startsWith("-")) this.enabled.delete(name.slice(1));
          else this.enabled.add(name);
        }
        return true;
      default:
        return false;
    }
  }
}
