import type { Reply } from "./reply.js";
import type { RequestContext } from "./context.js";

export type Handler = (context: RequestContext) => Reply | Promise<Reply>;

/** Whether a route needs an access token. `optional`: it reads one itself where it wants to. */
export type RouteAccess = "required" | "optional";

export interface Route {
  readonly method: string;
  /** As the specification writes it: `/_matrix/client/v3/rooms/{roomId}/messages`. */
  readonly template: string;
  readonly access: RouteAccess;
  readonly handler: Handler;
  readonly names: readonly string[];
}

export interface Match {
  readonly route: Route;
  readonly values: readonly string[];
}

interface Node {
  readonly fixed: Map<string, Node>;
  variable: Node | undefined;
  readonly routes: Map<string, Route>;
}

function newNode(): Node {
  return { fixed: new Map<string, Node>(), variable: undefined, routes: new Map<string, Route>() };
}

/** Routes by method and path template. A fixed segment wins over a variable one. */
export class Router {
  readonly #root = newNode();

  add(method: string, template: string, handler: Handler, access: RouteAccess = "required"): void {
    const names: string[] = [];
    let node = this.#root;
    for (const segment of template.split("/").slice(1)) {
      if (segment.startsWith("{")) {
        names.push(segment.slice(1, -1));
        node = node.variable ??= newNode();
      } else {
        let next = node.fixed.get(segment);
        if (next === undefined) node.fixed.set(segment, (next = newNode()));
        node = next;
      }
    }
    node.routes.set(method, { method, template, access, handler, names });
  }

  /** @returns the route, or why there is none; `undefined` values mean a path that is not percent-encoded UTF-8 */
  match(method: string, path: string): Match | "unknown-path" | "unknown-method" | "bad-encoding" {
    const segments = path.split("/");
    let node: Node | undefined = this.#root;
    const values: string[] = [];
    for (let index = 1; index < segments.length; index++) {
      const segment = segments[index] ?? "";
      const fixed: Node | undefined = node.fixed.get(segment);
      if (fixed !== undefined) {
        node = fixed;
        continue;
      }
      node = node.variable;
      if (node === undefined) return "unknown-path";
      const value = decode(segment);
      if (value === undefined) return "bad-encoding";
      values.push(value);
    }
    const route = node.routes.get(method);
    if (route !== undefined) return { route, values };
    return node.routes.size > 0 ? "unknown-method" : "unknown-path";
  }
}

function decode(segment: string): string | undefined {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    // A URIError is the answer "badly encoded".
    return undefined;
  }
}
