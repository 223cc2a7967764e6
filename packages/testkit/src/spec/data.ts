import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { JSON_SCHEMA, load } from "js-yaml";

/** Base of the URIs under which the documents are known; relative `$ref`s resolve against it. Nothing is fetched. */
const BASE_URI = "https://matrix-spec.invalid/";

/** The folder `data` of the Matrix specification, or `undefined` where it is not beside the project. */
export function specDataFolder(): string | undefined {
  const repository = fileURLToPath(new URL("../../../../", import.meta.url));
  const shared = process.env["TRESTLE_SHARED"] ?? resolve(repository, "..", "shared");
  const folder = join(shared, "data", "matrix-spec", "data");
  return existsSync(join(folder, "api")) ? folder : undefined;
}

/** Where a schema is: a document, and a JSON pointer in it. */
export interface SchemaPlace {
  readonly document: string;
  readonly pointer: readonly string[];
}

/** A parsed YAML document. */
export type Document = unknown;

/** The entry of an object or an array; `undefined` where there is none. */
export function childOf(node: unknown, key: string): unknown {
  if (typeof node !== "object" || node === null) return undefined;
  const value: unknown = Object.getOwnPropertyDescriptor(node, key)?.value;
  return value;
}

/** Reads the YAML documents of the specification, each once. */
export class SpecDocuments {
  readonly #documents = new Map<string, Document>();

  constructor(private readonly folder: string) {}

  /** Names, relative to the data folder, of the YAML files directly in `subfolder`. */
  list(subfolder: string): string[] {
    return readdirSync(join(this.folder, subfolder))
      .filter((name) => name.endsWith(".yaml"))
      .map((name) => `${subfolder}/${name}`);
  }

  has(name: string): boolean {
    return existsSync(join(this.folder, name));
  }

  /** The document `name`, relative to the data folder. */
  read(name: string): Document {
    if (!this.#documents.has(name)) this.#documents.set(name, parse(readFileSync(join(this.folder, name), "utf8")));
    return this.#documents.get(name);
  }

  /** What is at a place in a document; `undefined` where nothing is. `$ref`s are not followed. */
  nodeAt(place: SchemaPlace): unknown {
    let node = this.read(place.document);
    for (const key of place.pointer) node = childOf(node, key);
    return node;
  }

  /** The node at `place` and where it really is, after following `$ref`s. */
  resolve(place: SchemaPlace): { node: unknown; place: SchemaPlace } {
    const node = this.nodeAt(place);
    const reference = childOf(node, "$ref");
    if (typeof reference !== "string") return { node, place };
    const [, fragment = ""] = reference.split("#");
    const document = this.referenced(place.document, reference) ?? place.document;
    const pointer = fragment
      .split("/")
      .slice(1)
      .map((key) => decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~"));
    return this.has(document) ? this.resolve({ document, pointer }) : { node: undefined, place };
  }

  uriOf(name: string): string {
    return BASE_URI + name.split("/").map(encodeURIComponent).join("/");
  }

  /** The document that `reference`, found in document `name`, points into; `undefined` for one of its own. */
  referenced(name: string, reference: string): string | undefined {
    const target = new URL(reference, this.uriOf(name));
    const other = decodeURIComponent(target.pathname.slice(1));
    return other === name ? undefined : other;
  }
}

/** The documents close flow collections at the indentation of their parent, which YAML 1.2 forbids: indent those lines. */
function parse(text: string): Document {
  return load(text.replace(/^( *)([}\]]+,? *)$/gmu, "                    $1$2"), { schema: JSON_SCHEMA });
}
