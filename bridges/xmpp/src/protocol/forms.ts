import { given } from "../content/given.js";
import { ns } from "../content/namespaces.js";
import {
  attributeOf,
  childOf,
  element,
  filledAttributeOf,
  ownChildOf,
  ownChildrenOf,
  ownTextOf,
  textElement,
  textOf,
  type XmlElement,
} from "../content/xml.js";

export const fieldTypes = [
  "boolean",
  "fixed",
  "hidden",
  "jid-multi",
  "jid-single",
  "list-multi",
  "list-single",
  "text-multi",
  "text-private",
  "text-single",
] as const;
export type FieldType = (typeof fieldTypes)[number];

/** A field of a form (XEP-0004 §3.2). */
export interface FormField {
  /** What it goes by; only fields of type `fixed` have none. */
  readonly name?: string;
  /** In a form that is submitted it may be absent. */
  readonly type?: FieldType;
  readonly label?: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly values: readonly string[];
  readonly options?: readonly { readonly label?: string; readonly value: string }[];
}

/** A form (XEP-0004): to be filled in, filled in, or a table of results. */
export interface DataForm {
  readonly type: "form" | "submit" | "cancel" | "result";
  /** The value of the hidden field `FORM_TYPE` (XEP-0068), which says what the names of the others mean. */
  readonly formType?: string;
  readonly title?: string;
  readonly instructions?: readonly string[];
  /** Without `FORM_TYPE`. */
  readonly fields: readonly FormField[];
  /** The columns of a table. */
  readonly reported?: readonly FormField[];
  /** The rows of a table. */
  readonly items?: readonly (readonly FormField[])[];
}

const formTypes = ["form", "submit", "cancel", "result"] as const;
const formTypeField = "FORM_TYPE";

/** Reads `<x xmlns='jabber:x:data'>`. A form of an unknown type counts as one to be filled in. */
export function readForm(form: XmlElement): DataForm {
  const fields = ownChildrenOf(form, "field").map(readField);
  const reported = ownChildOf(form, "reported");
  const items = ownChildrenOf(form, "item").map((item) => ownChildrenOf(item, "field").map(readField));
  return given({
    type: formTypes.find((type) => type === attributeOf(form, "type")) ?? "form",
    formType: fields.find(({ name }) => name === formTypeField)?.values[0],
    title: ownTextOf(form, "title"),
    instructions: listOrNothing(ownChildrenOf(form, "instructions").map(textOf)),
    fields: fields.filter(({ name }) => name !== formTypeField),
    reported: reported && ownChildrenOf(reported, "field").map(readField),
    items: listOrNothing(items),
  });
}

/** The form in an element, where there is one. */
export function formIn(parent: XmlElement): DataForm | undefined {
  const form = childOf(parent, "x", ns.forms);
  return form && readForm(form);
}

function readField(field: XmlElement): FormField {
  const options = ownChildrenOf(field, "option").map((option) =>
    given({ label: filledAttributeOf(option, "label"), value: textOf(ownChildOf(option, "value")) }),
  );
  return given({
    name: filledAttributeOf(field, "var"),
    type: fieldTypes.find((type) => type === attributeOf(field, "type")),
    label: filledAttributeOf(field, "label"),
    description: ownTextOf(field, "desc"),
    required: ownChildOf(field, "required") === undefined ? undefined : true,
    values: ownChildrenOf(field, "value").map(textOf),
    options: listOrNothing(options),
  });
}

function listOrNothing<Item>(list: readonly Item[]): readonly Item[] | undefined {
  return list.length === 0 ? undefined : list;
}

/** The first value of a field; `undefined` where the form has no such field or it is empty. */
export function valueIn(form: DataForm, name: string): string | undefined {
  return form.fields.find((field) => field.name === name)?.values[0] || undefined;
}

/** A field as a boolean, `true`, `1`, `false` or `0`; `undefined` where it is none of them. */
export function flagIn(form: DataForm, name: string): boolean | undefined {
  const value = valueIn(form, name);
  return value === "true" || value === "1" ? true : value === "false" || value === "0" ? false : undefined;
}

/** Writes a form. A value of several lines in a field of one line stays what it is: the reader decides. */
export function writeForm(form: DataForm): XmlElement {
  const formType: FormField[] =
    form.formType === undefined ? [] : [{ name: formTypeField, type: "hidden", values: [form.formType] }];
  return element(
    "x",
    { xmlns: ns.forms, type: form.type },
    form.title === undefined ? undefined : textElement("title", form.title),
    ...(form.instructions ?? []).map((line) => textElement("instructions", line)),
    ...[...formType, ...form.fields].map(writeField),
    form.reported && element("reported", {}, ...form.reported.map(writeField)),
    ...(form.items ?? []).map((item) => element("item", {}, ...item.map(writeField))),
  );
}

function writeField({ name, type, label, description, required, values, options }: FormField): XmlElement {
  return element(
    "field",
    { var: name, type, label },
    description === undefined ? undefined : textElement("desc", description),
    required === true ? element("required") : undefined,
    ...values.map((value) => textElement("value", value)),
    ...(options ?? []).map((option) => element("option", { label: option.label }, textElement("value", option.value))),
  );
}
