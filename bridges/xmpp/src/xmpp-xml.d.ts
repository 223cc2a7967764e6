/** What Trestle uses of @xmpp/xml 0.13. */
declare module "@xmpp/xml" {
  import type { EventEmitter } from "node:events";

  export interface ParsedElement {
    readonly name: string;
    readonly attrs: Readonly<Record<string, string>>;
    readonly children: readonly (ParsedElement | string)[];
    is(name: string, xmlns?: string): boolean;
    getName(): string;
    getNS(): string | undefined;
    getChild(name: string, xmlns?: string): ParsedElement | undefined;
    getChildren(name: string, xmlns?: string): ParsedElement[];
    getChildElements(): ParsedElement[];
    getChildText(name: string, xmlns?: string): string | null;
    getText(): string;
  }

  type Child = ParsedElement | string | number | undefined | null | false | readonly Child[];

  export class Parser extends EventEmitter {
    readonly root: ParsedElement | null;
    readonly cursor: ParsedElement | null;
    onStartElement(name: string, attrs: Record<string, string>): void;
    onEndElement(name: string): void;
    onText(text: string): void;
    write(text: string): void;
  }

  interface Xml {
    (name: string, attrs?: Readonly<Record<string, string | number | undefined>>, ...children: Child[]): ParsedElement;
    readonly Parser: typeof Parser;
  }

  const xml: Xml;
  export default xml;
}
