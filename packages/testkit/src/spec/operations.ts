import type { SchemaPlace, SpecDocuments } from "./data.js";
import { childOf } from "./data.js";

export type SpecApi = "client-server" | "application-service";

export interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly required: boolean;
  /** `type` of its schema, which says how the text is read. */
  readonly type: string;
  readonly schema: SchemaPlace;
}

/** Content types, each with its schema; `undefined` where only the type is given. */
export type Contents = ReadonlyMap<string, SchemaPlace>;

export interface Operation {
  readonly method: string;
  /** Full path template. */
  readonly template: string;
  readonly segments: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly body: { readonly required: boolean; readonly contents: Contents } | undefined;
  readonly responses: ReadonlyMap<string, Contents>;
}

type Node = Record<string, unknown>;

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const METHODS = ["get", "put", "post", "delete", "patch", "head"];

/** All operations of one API. */
export function readOperations(documents: SpecDocuments, api: SpecApi): Operation[] {
  return documents.list(`api/${api}`).flatMap((name) => [...new OperationReader(documents, name).all()]);
}

/** Reads the operations of one OpenAPI document. */
class OperationReader {
  readonly #root: unknown;

  constructor(
    private readonly documents: SpecDocuments,
    private readonly name: string,
  ) {
    this.#root = documents.read(name);
  }

  *all(): Iterable<Operation> {
    const paths = childOf(this.#root, "paths");
    if (!isNode(paths)) return;
    for (const [path, item] of Object.entries(paths)) {
      for (const method of METHODS) {
        if (childOf(item, method) !== undefined) yield this.#operation(path, method);
      }
    }
  }

  #operation(path: string, method: string): Operation {
    const place: SchemaPlace = { document: this.name, pointer: ["paths", path, method] };
    // Two paths end in a blank, so that two documents may describe the same endpoint.
    const template = this.#basePath() + path.trimEnd();
    return {
      method: method.toUpperCase(),
      template,
      segments: template.split("/"),
      parameters: [
        ...this.#parameters({ document: this.name, pointer: ["paths", path, "parameters"] }),
        ...this.#parameters(below(place, "parameters")),
      ],
      body: this.#body(below(place, "requestBody")),
      responses: this.#responses(below(place, "responses")),
    };
  }

  #basePath(): string {
    const variables = childOf(childOf(childOf(childOf(this.#root, "servers"), "0"), "variables"), "basePath");
    const base = childOf(variables, "default");
    return typeof base === "string" ? base : "";
  }

  *#parameters(list: SchemaPlace): Iterable<Parameter> {
    const { node } = this.documents.resolve(list);
    if (!Array.isArray(node)) return;
    for (const index of node.keys()) {
      const { node: parameter, place } = this.documents.resolve(below(list, String(index)));
      const name = childOf(parameter, "name");
      const where = childOf(parameter, "in");
      if (typeof name !== "string" || typeof where !== "string") continue;
      const type = childOf(childOf(parameter, "schema"), "type");
      yield {
        in: where,
        name,
        required: childOf(parameter, "required") === true,
        type: typeof type === "string" ? type : "string",
        schema: below(place, "schema"),
      };
    }
  }

  #body(at: SchemaPlace): Operation["body"] {
    const { node, place } = this.documents.resolve(at);
    if (!isNode(node)) return undefined;
    return { required: node["required"] === true, contents: this.#contents(below(place, "content")) };
  }

  #responses(at: SchemaPlace): Map<string, Contents> {
    const responses = new Map<string, Contents>();
    const { node } = this.documents.resolve(at);
    for (const status of isNode(node) ? Object.keys(node) : []) {
      responses.set(status, this.#contents(below(this.documents.resolve(below(at, status)).place, "content")));
    }
    return responses;
  }

  #contents(at: SchemaPlace): Contents {
    const contents = new Map<string, SchemaPlace>();
    const { node } = this.documents.resolve(at);
    for (const type of isNode(node) ? Object.keys(node) : []) contents.set(type, below(below(at, type), "schema"));
    return contents;
  }
}

function below(place: SchemaPlace, key: string): SchemaPlace {
  return { document: place.document, pointer: [...place.pointer, key] };
}

/** Whether a path with these segments is one of the operation's; a fixed segment must be equal. */
export function matchesPath(operation: Operation, segments: readonly string[]): boolean {
  return (
    operation.segments.length === segments.length &&
    operation.segments.every((segment, index) => segment.startsWith("{") || segment === segments[index])
  );
}

/** Number of fixed segments: of two matching operations the one with more is meant. */
export function specificity(operation: Operation): number {
  return operation.segments.filter((segment) => !segment.startsWith("{")).length;
}
