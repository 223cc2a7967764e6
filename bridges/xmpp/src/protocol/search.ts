import { given } from "../content/given.js";
import { ns } from "../content/namespaces.js";
import {
  element,
  filledAttributeOf,
  ownChildOf,
  ownChildrenOf,
  ownTextOf,
  textElement,
  textOf,
  type XmlElement,
} from "../content/xml.js";
import { formIn, writeForm, type DataForm } from "./forms.js";
import { readPageRequest, type PageRequest } from "./rsm.js";

/** What a directory is asked, or how it can be asked (XEP-0055). */
export interface Search {
  readonly instructions?: string;
  readonly fields: Readonly<Partial<Record<SearchField, string>>>;
  /** Where it is there, it counts rather than the fields. */
  readonly form?: DataForm;
  readonly page?: PageRequest;
  /** What was found, in the manner of the days before forms. */
  readonly items: readonly SearchItem[];
}

export const searchFields = ["first", "last", "nick", "email"] as const;
export type SearchField = (typeof searchFields)[number];

/** Somebody who was found. */
export interface SearchItem extends Readonly<Partial<Record<SearchField, string>>> {
  readonly jid: string;
}

/** Reads a `<query/>`: a question, an answer, or the fields that can be asked for. */
export function readSearch(query: XmlElement): Search {
  return given({
    instructions: ownTextOf(query, "instructions"),
    fields: fieldsIn(query),
    form: formIn(query),
    page: readPageRequest(query),
    items: ownChildrenOf(query, "item").flatMap((item) => {
      const jid = filledAttributeOf(item, "jid");
      return jid === undefined ? [] : [{ jid, ...fieldsIn(item) }];
    }),
  });
}

function fieldsIn(element: XmlElement): Partial<Record<SearchField, string>> {
  const found = searchFields.flatMap((name) => {
    const field = ownChildOf(element, name);
    return field === undefined ? [] : [[name, textOf(field).trim()] as const];
  });
  return Object.fromEntries(found);
}

/** Writes a `<query/>`. */
export function writeSearch({ instructions, fields = {}, form, items = [] }: Partial<Search>): XmlElement {
  return element(
    "query",
    { xmlns: ns.search },
    instructions === undefined ? undefined : textElement("instructions", instructions),
    ...writeFields(fields),
    ...items.map((item) => element("item", { jid: item.jid }, ...writeFields(item))),
    form && writeForm(form),
  );
}

function writeFields(fields: Partial<Record<SearchField, string>>): XmlElement[] {
  return searchFields.flatMap((name) => {
    const value = fields[name];
    return value === undefined ? [] : [textElement(name, value)];
  });
}
