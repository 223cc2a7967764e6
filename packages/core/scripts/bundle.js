/**
 * Puts the modules of the core, and of the rich text that it speaks, into a few files. A process that loads two hundred
 * takes a third longer to start and keeps more in memory. Node takes them under the condition `trestle-bundle`, which the
 * `trestle` command sets; tests and tools take the modules as they were compiled.
 */
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const packages = new URL("../../", import.meta.url);

/**
 * @param {string} name the package's folder
 * @param {Readonly<Record<string, string>>} entries compiled modules by the name of the file they become
 * @param {RegExp} inside what is installed and becomes part of the files
 */
async function bundle(name, entries, inside) {
  const root = fileURLToPath(new URL(`${name}/`, packages));
  rmSync(`${root}bundle`, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: "bundle",
    bundle: true,
    splitting: true,
    sourcemap: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    logLevel: "warning",
    plugins: [{ name: "installed", setup: (plugin) => keepOutside(plugin, inside) }],
  });
}

/** What is installed stays where it is: it may be native, or connectors share it with the core. */
function keepOutside(plugin, inside) {
  plugin.onResolve({ filter: /^[^.]/ }, ({ path, kind }) =>
    kind === "entry-point" || inside.test(path) ? undefined : { path, external: true },
  );
}

const nothing = /^$/;
await bundle("core", { index: "./dist/index.js" }, nothing);
await bundle("rich-text", { index: "./dist/index.js" }, /^(htmlparser2|dom|entities)/);
