import xml from "@xmpp/xml";
import { cleanXml } from "./xml-characters.js";

/**
 * An element of a stanza, as @xmpp/xml gives it: with its prefix in the name and the declarations of namespaces among
 * the attributes. Read it with the functions below, which know about namespaces and never throw.
 */
export interface XmlElement {
  readonly name: string;
  readonly attrs: Readonly<Record<string, string>>;
  readonly children: readonly (XmlElement | string)[];
  readonly parent?: XmlElement | null;
  is(name: string, xmlns?: string): boolean;
  getName(): string;
  getNS(): string | undefined;
  getChild(name: string, xmlns?: string): XmlElement | undefined;
  getChildren(name: string, xmlns?: string): XmlElement[];
  getChildElements(): XmlElement[];
  getChildText(name: string, xmlns?: string): string | null;
  getText(): string;
  /** The element as XML. */
  toString(): string;
}

/** How deep elements may nest that are read from a text. */
const maxDepth = 256;

/** The name without its prefix. */
export function localName({ name }: XmlElement): string {
  const colon = name.indexOf(":");
  return colon < 0 ? name : name.slice(colon + 1);
}

/** The namespace, declared here or farther out; `undefined` where nobody declared it. */
export function namespaceOf(element: XmlElement): string | undefined {
  const colon = element.name.indexOf(":");
  const declaration = colon < 0 ? "xmlns" : `xmlns:${element.name.slice(0, colon)}`;
  for (let at: XmlElement | null | undefined = element; at != null; at = at.parent) {
    const declared = attributeOf(at, declaration);
    if (declared !== undefined) return declared;
  }
  return undefined;
}

/** Whether an element has this name and namespace. */
export function isElement(node: XmlElement | string, name: string, namespace: string): node is XmlElement {
  return typeof node !== "string" && localName(node) === name && namespaceOf(node) === namespace;
}

/** The value of an attribute without a namespace; `undefined` where there is none. */
export function attributeOf(element: XmlElement, name: string): string | undefined {
  const value = Object.hasOwn(element.attrs, name) ? element.attrs[name] : undefined;
  return typeof value === "string" ? value : undefined;
}

/** An attribute that says something: the empty string counts as absent. */
export function filledAttributeOf(element: XmlElement, name: string): string | undefined {
  return attributeOf(element, name) || undefined;
}

/** An attribute as a whole number from 0; `undefined` where it is none. */
export function countAttributeOf(element: XmlElement, name: string): number | undefined {
  return countOf(attributeOf(element, name));
}

/** A whole number from 0 in decimal digits; `undefined` where it is none. */
export function countOf(text: string | undefined): number | undefined {
  const digits = text?.trim();
  return digits !== undefined && /^\d{1,15}$/.test(digits) ? Number(digits) : undefined;
}

/** The elements right below, without the text between them. */
export function elementsOf(element: XmlElement): XmlElement[] {
  return element.children.filter((child) => typeof child !== "string");
}

/** The first child of this name and namespace. */
export function childOf(element: XmlElement, name: string, namespace: string): XmlElement | undefined {
  return element.children.find((child): child is XmlElement => isElement(child, name, namespace));
}

/** Every child of this name and namespace. */
export function childrenOf(element: XmlElement, name: string, namespace: string): XmlElement[] {
  return element.children.filter((child): child is XmlElement => isElement(child, name, namespace));
}

/** The children of this name that are in the namespace of the element itself, such as the `<body>` of a `<message>`. */
export function ownChildrenOf(element: XmlElement, name: string): XmlElement[] {
  const namespace = namespaceOf(element);
  return elementsOf(element).filter((child) => localName(child) === name && namespaceOf(child) === namespace);
}

/** The first child of this name in the namespace of the element itself. */
export function ownChildOf(element: XmlElement, name: string): XmlElement | undefined {
  return ownChildrenOf(element, name)[0];
}

/** The text right below an element, without that of the elements in it. */
export function textOf(element: XmlElement | undefined): string {
  return element?.children.filter((child) => typeof child === "string").join("") ?? "";
}

/** The trimmed text of the first child of this name in the element's own namespace; `undefined` where it is empty. */
export function ownTextOf(element: XmlElement, name: string): string | undefined {
  return textOf(ownChildOf(element, name)).trim() || undefined;
}

/** What an element is made with: `undefined` leaves an attribute or a child out. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
export type Child = XmlElement | string | undefined | readonly Child[];

/**
 * Makes an element. It is the only way in which the bridge makes XML: text and values of attributes are freed of what
 * XML cannot hold here, and escaped when they are written. Names come from the program, never from outside.
 */
export function element(name: string, attributes: Attributes = {}, ...children: readonly Child[]): XmlElement {
  const given: Record<string, string> = {};
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) given[key] = cleanXml(String(value));
  }
  return xml(name, given, children.map(readyChild));
}

type ReadyChild = XmlElement | string | undefined | ReadyChild[];

/** Children may be lists: thousands of them are too many for the arguments of a call. */
function readyChild(child: Child): ReadyChild {
  if (typeof child === "string") return cleanXml(child);
  return isList(child) ? child.map(readyChild) : unheld(child);
}

function isList(child: Child): child is readonly Child[] {
  return Array.isArray(child);
}

/** An element has one parent: what stands in another already is copied, with its namespace. */
function unheld(child: XmlElement | undefined): XmlElement | undefined {
  if (child?.parent == null) return child;
  const inherited = child.attrs["xmlns"] === undefined && !child.name.includes(":") ? namespaceOf(child) : undefined;
  return element(
    child.name,
    inherited === undefined ? child.attrs : { xmlns: inherited, ...child.attrs },
    child.children,
  );
}

/** An element with nothing but text. */
export function textElement(name: string, text: string): XmlElement {
  return element(name, {}, text);
}

/** Reads one element from a text, such as a stanza that was kept. `undefined` where it is malformed or nests absurdly deep. */
export function parseXml(text: string): XmlElement | undefined {
  const parser = new xml.Parser();
  const around: XmlElement[] = [];
  const found: XmlElement[] = [];
  let [ends, errors] = [0, 0];
  parser.on("start", (root: XmlElement) => around.push(root));
  parser.on("element", (child: XmlElement) => found.push(child));
  parser.on("end", () => ends++);
  parser.on("error", () => errors++);
  try {
    for (const part of ["<around>", text, "</around>"]) parser.write(part);
  } catch {
    // The parser throws at what it does not know, such as an entity: malformed, like all that it reports.
    return undefined;
  }
  const [root, ...others] = found;
  const isOne = root !== undefined && others.length === 0 && ends === 1 && errors === 0;
  return isOne && around.every((outer) => textOf(outer).trim() === "") && isShallow(root) ? root : undefined;
}

function isShallow(root: XmlElement): boolean {
  let level: XmlElement[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > maxDepth) return false;
    level = level.flatMap(elementsOf);
  }
  return true;
}
