import { given } from "../content/given.js";
import { ns } from "../content/namespaces.js";
import {
  element,
  elementsOf,
  localName,
  namespaceOf,
  ownChildOf,
  ownTextOf,
  textElement,
  textOf,
  type XmlElement,
} from "../content/xml.js";
import { formIn, writeForm, type DataForm } from "./forms.js";

/** A registration (XEP-0077), asked for, offered or given. */
export interface Registration {
  readonly instructions?: string;
  /** Whoever asks is registered already; the fields tell how. */
  readonly registered: boolean;
  /** Whoever sends it wants to be registered no more. */
  readonly remove: boolean;
  /** Fields of the days before forms, such as `username` and `password`; in an offer their values are empty. */
  readonly fields: Readonly<Record<string, string>>;
  /** Says the same as the fields, and more: where it is there, it counts. */
  readonly form?: DataForm;
  /** Where to register instead (XEP-0066). */
  readonly url?: string;
}

/** The fields that XEP-0077 §14.1 knows. */
const fieldNames: ReadonlySet<string> = new Set(
  "username nick password name first last email address city state zip phone url date misc text key".split(" "),
);

/** Reads a `<query/>`. */
export function readRegistration(query: XmlElement): Registration {
  const fields = elementsOf(query)
    .filter((child) => namespaceOf(child) === ns.register && fieldNames.has(localName(child)))
    .map((child): [string, string] => [localName(child), textOf(child)]);
  const link = elementsOf(query).find((child) => localName(child) === "x" && namespaceOf(child) === ns.oob);
  return given({
    instructions: ownTextOf(query, "instructions"),
    registered: ownChildOf(query, "registered") !== undefined,
    remove: ownChildOf(query, "remove") !== undefined,
    fields: Object.fromEntries(fields),
    form: formIn(query),
    url: link && ownTextOf(link, "url"),
  });
}

/** Writes a `<query/>`. Fields that XEP-0077 does not know are left out: they belong into the form. */
export function writeRegistration(registration: Partial<Registration>): XmlElement {
  const { instructions, registered, remove, fields = {}, form, url } = registration;
  return element(
    "query",
    { xmlns: ns.register },
    registered === true ? element("registered") : undefined,
    remove === true ? element("remove") : undefined,
    instructions === undefined ? undefined : textElement("instructions", instructions),
    ...Object.entries(fields)
      .filter(([name]) => fieldNames.has(name))
      .map(([name, value]) => textElement(name, value)),
    form && writeForm(form),
    url === undefined ? undefined : element("x", { xmlns: ns.oob }, textElement("url", url)),
  );
}
