/** One line of IRC, taken apart. */
export interface IrcLine {
  readonly tags: ReadonlyMap<string, string>;
  /** The nick or server before the `!`; empty where the line had no source. */
  readonly nick: string;
  readonly command: string;
  readonly params: readonly string[];
}

export function parseIrcLine(line: string): IrcLine {
  const [, tagText = "", source = "", rest = ""] = /^(?:@(\S+) +)?(?::(\S+) +)?(.*)$/s.exec(line) ?? [];
  const colon = rest.search(/(^| ):/);
  const head = colon === -1 ? rest : rest.slice(0, colon);
  const words = head.split(" ").filter((word) => word !== "");
  const params = colon === -1 ? words.slice(1) : [...words.slice(1), rest.slice(rest.indexOf(":", colon) + 1)];
  return {
    tags: parseTags(tagText),
    nick: source.split(/[!@]/)[0] ?? "",
    command: (words[0] ?? "").toUpperCase(),
    params,
  };
}

const ESCAPES: Readonly<Record<string, string>> = { ":": ";", s: " ", r: "\r", n: "\n" };

function parseTags(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(";").filter((pair) => pair !== "");
  return new Map(
    pairs.map((pair) => {
      const [key = "", ...value] = pair.split("=");
      return [key, value.join("=").replace(/\\(.?)/g, (_, escaped: string) => ESCAPES[escaped] ?? escaped)];
    }),
  );
}
