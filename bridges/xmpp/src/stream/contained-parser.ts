import xml from "@xmpp/xml";
import { asError } from "./errors.js";

const DEEPEST = 200;

/** How much of one stanza is taken. */
export interface InputLimits {
  /** In UTF-16 code units. */
  readonly maxStanzaLength: number;
}

/**
 * The library's parser, contained: whatever the other side sends, it emits `error` once and is deaf from then on,
 * instead of throwing into the socket (it does for an unknown entity). What stands between stanzas is not kept, and
 * what is nested too deep or grows too long is an error.
 */
export function containedParser(limits: InputLimits): typeof xml.Parser {
  return class ContainedParser extends xml.Parser {
    #depth = 0;
    #length = 0;
    #deaf = false;

    override write(text: string): void {
      if (this.#deaf) return;
      this.#length += text.length;
      try {
        super.write(text);
        if (this.#length > limits.maxStanzaLength)
          throw new Error(`The server sent a stanza of more than ${limits.maxStanzaLength} characters`);
      } catch (error) {
        this.#fail(error);
      }
    }

    override onStartElement(name: string, attrs: Record<string, string>): void {
      if (this.#deaf) return;
      this.#depth += 1;
      if (this.#depth > DEEPEST) throw new Error(`The server sent elements nested more than ${DEEPEST} deep`);
      super.onStartElement(name, attrs);
    }

    override onEndElement(name: string): void {
      if (this.#deaf) return;
      if (this.cursor?.name !== name) throw new Error(`The server closed <${name}>, which is not open`);
      this.#depth -= 1;
      if (this.#depth <= 1) this.#length = 0;
      super.onEndElement(name);
      if (this.#depth === 0) this.#deaf = true;
    }

    override onText(text: string): void {
      if (this.#deaf) return;
      // Between stanzas there is nothing but whitespace, which keeps connections alive.
      if (this.#depth <= 1) {
        if (text.trim() !== "") throw new Error("The server sent text between stanzas");
        this.#length = 0;
        return;
      }
      super.onText(text);
    }

    #fail(error: unknown): void {
      if (this.#deaf) return;
      this.#deaf = true;
      this.emit("error", asError(error));
    }
  };
}
