import type { ValidateFunction } from "ajv/dist/2020.js";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { SchemaPlace, SpecDocuments } from "./data.js";

const MAX_REPORTED = 3;

/** Compiles the schemas inside the specification's documents, each when it is first needed. */
export class SpecSchemas {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false, validateSchema: false });
  readonly #compiled = new Map<string, ValidateFunction>();
  readonly #added = new Set<string>();

  constructor(private readonly documents: SpecDocuments) {}

  /** What is wrong with `value`, in words; empty where it is valid. */
  problems(place: SchemaPlace, value: unknown, what: string): string[] {
    const resolved = this.documents.resolve(place);
    if (resolved.node === undefined) return [];
    const validate = this.#validator(resolved.place);
    if (validate(value)) return [];
    // A value that fits two branches of a `oneOf` shows that the branches overlap, not that the value is wrong: any
    // event is also "an object", for example.
    const errors = (validate.errors ?? []).filter(
      (error) => !(error.keyword === "oneOf" && Array.isArray(error.params["passingSchemas"])),
    );
    const lines = errors.slice(0, MAX_REPORTED).map((error) => {
      const allowed: unknown = error.params["allowedValues"];
      const values = Array.isArray(allowed) ? ` (${allowed.join(", ")})` : "";
      return `${what}${error.instancePath} ${error.message ?? "is not valid"}${values}`;
    });
    return errors.length > MAX_REPORTED ? [...lines, `and ${errors.length - MAX_REPORTED} more in ${what}`] : lines;
  }

  /** Compiles the schema now, where there is one. */
  compile(place: SchemaPlace): void {
    const resolved = this.documents.resolve(place);
    if (resolved.node !== undefined) this.#validator(resolved.place);
  }

  #validator(place: SchemaPlace): ValidateFunction {
    const fragment = place.pointer.map((key) => encodeURIComponent(key.replaceAll("~", "~0").replaceAll("/", "~1")));
    const uri = `${this.documents.uriOf(place.document)}#/${fragment.join("/")}`;
    let validate = this.#compiled.get(uri);
    if (validate === undefined) {
      this.#add(place.document);
      validate = this.#ajv.compile(
        place.pointer.length === 0 ? { $ref: this.documents.uriOf(place.document) } : { $ref: uri },
      );
      this.#compiled.set(uri, validate);
    }
    return validate;
  }

  /** Makes a document, and whatever it refers to, known to Ajv. */
  #add(name: string): void {
    if (this.#added.has(name)) return;
    this.#added.add(name);
    if (!this.documents.has(name)) {
      // The data holds two of the specification's APIs; a few definitions of the others are named, and not checked.
      this.#ajv.addSchema({}, this.documents.uriOf(name));
      return;
    }
    const document = this.documents.read(name);
    if (typeof document !== "object" || document === null)
      throw new Error(`${name} of the specification is not an object`);
    this.#ajv.addSchema(document, this.documents.uriOf(name));
    for (const reference of references(document)) {
      const other = this.documents.referenced(name, reference);
      if (other !== undefined) this.#add(other);
    }
  }
}

/** Every `$ref` outside of examples. */
function* references(node: unknown): Iterable<string> {
  if (Array.isArray(node)) {
    for (const entry of node) yield* references(entry);
    return;
  }
  if (typeof node !== "object" || node === null) return;
  for (const [key, value] of Object.entries(node)) {
    if (key === "example" || key === "examples") continue;
    if (key === "$ref" && typeof value === "string") yield value;
    else yield* references(value);
  }
}
