import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { errorCode } from "./error-text.js";

const manifestSchema = z.looseObject({ main: z.string().optional().catch(undefined), exports: z.unknown().optional() });

/**
 * The file that `import name` would load for a module in `directory`, `undefined` where the package is not installed.
 * Node 20 resolves for other directories only as `require` does, which refuses packages that are ES modules alone.
 */
export function findPackageEntry(name: string, directory: string): string | undefined {
  const [scopeOrName = "", ...rest] = name.split("/");
  const packageName = scopeOrName.startsWith("@") ? [scopeOrName, rest.shift() ?? ""].join("/") : scopeOrName;
  for (let at = directory; ; at = dirname(at)) {
    const root = join(at, "node_modules", packageName);
    const manifest = readManifest(join(root, "package.json"));
    if (manifest !== undefined) return join(root, entryOf(manifest, rest.join("/")));
    if (dirname(at) === at) return undefined;
  }
}

type Manifest = z.output<typeof manifestSchema>;

function readManifest(file: string): Manifest | undefined {
  try {
    return manifestSchema.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

function entryOf(manifest: Manifest, subpath: string): string {
  const key = subpath === "" ? "." : `./${subpath}`;
  const { exports } = manifest;
  const hasSubpaths = isRecord(exports) && Object.keys(exports).some((each) => each.startsWith("."));
  const exported = target(hasSubpaths ? exports[key] : key === "." ? exports : undefined);
  return exported ?? (subpath === "" ? (manifest.main ?? "index.js") : subpath);
}

const conditions = ["import", "node", "module-sync", "default"];

/** The first file among nested conditions, in the package's own order. */
function target(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(target).find((each) => each !== undefined);
  if (!isRecord(value)) return undefined;
  for (const [condition, inner] of Object.entries(value)) {
    const found = conditions.includes(condition) ? target(inner) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
