import { Parser } from "htmlparser2";

/** A stanza as it stood on the wire. */
export interface WireStanza {
  readonly name: string;
  readonly attrs: Readonly<Record<string, string>>;
  /** The names of the elements in it. */
  readonly inner: readonly string[];
  /** The texts of its `<body/>` and its `<subject/>`, where it has them. */
  readonly body?: string;
  readonly subject?: string;
}

/**
 * Takes apart what a component sent behind its handshake, with a parser that is not the one that wrote it. Throws where
 * something stands between stanzas, or the last one does not end.
 *
 * @param bytes as a `WireSpy` has them: one character for each byte
 */
export function stanzasOnWire(bytes: string): readonly WireStanza[] {
  const stanzas: WireStanza[] = [];
  const open: string[] = [];
  let stanza: { name: string; attrs: Record<string, string>; inner: string[]; texts: Map<string, string> } | undefined;
  const parser = new Parser(
    {
      onopentag(name, attrs) {
        open.push(name);
        if (stanza) stanza.inner.push(name);
        else stanza = { name, attrs, inner: [], texts: new Map() };
      },
      ontext(text) {
        if (!stanza) {
          if (text.trim() !== "") throw new Error(`“${text}” stands between two stanzas`);
          return;
        }
        const name = open.at(-1) ?? "";
        if (open.length === 2) stanza.texts.set(name, (stanza.texts.get(name) ?? "") + text);
      },
      onclosetag(name) {
        if (open.pop() !== name) throw new Error(`</${name}> ends something else`);
        if (open.length > 0 || !stanza) return;
        const { texts, ...rest } = stanza;
        const [body, subject] = [texts.get("body"), texts.get("subject")];
        stanzas.push({ ...rest, ...(body !== undefined && { body }), ...(subject !== undefined && { subject }) });
        stanza = undefined;
      },
      onprocessinginstruction(name) {
        throw new Error(`<?${name} was sent`);
      },
      oncomment(text) {
        throw new Error(`<!--${text} was sent`);
      },
    },
    { xmlMode: true, decodeEntities: true },
  );
  parser.write(Buffer.from(bytes, "latin1").toString("utf8"));
  if (stanza) throw new Error("The last stanza does not end");
  return stanzas;
}
