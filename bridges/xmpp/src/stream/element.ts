import createElement from "@xmpp/xml";

/**
 * An XML element, read or to be written. What {@link xml} builds and what a stream hands out both are such; nothing else
 * than an element can be sent, so that no text of a person is ever taken for markup.
 */
export interface Element {
  /** With its prefix, where it has one. */
  readonly name: string;
  readonly attrs: Readonly<Record<string, string>>;
  readonly children: readonly (Element | string)[];
  /** Whether it has this name (without prefix) and, where given, this namespace. */
  is(name: string, xmlns?: string): boolean;
  /** Without its prefix. */
  getName(): string;
  getNS(): string | undefined;
  getChild(name: string, xmlns?: string): Element | undefined;
  getChildren(name: string, xmlns?: string): Element[];
  getChildElements(): Element[];
  /** `null` where there is no such child. */
  getChildText(name: string, xmlns?: string): string | null;
  getText(): string;
}

/** What may stand in an element; what is absent is left out. */
export type Child = Element | string | undefined;

/** Builds an element. Attributes that are `undefined` are left out. */
export function xml(
  name: string,
  attrs: Readonly<Record<string, string | undefined>> = {},
  ...children: readonly (Child | readonly Child[])[]
): Element {
  const present: Record<string, string> = {};
  for (const [key, value] of Object.entries(attrs)) if (value !== undefined) present[key] = value;
  // The builder marks every child with its parent.
  return createElement(name, present, ...(children as Parameters<typeof createElement>[2][]));
}
