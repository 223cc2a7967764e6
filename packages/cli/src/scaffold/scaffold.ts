import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { CliError } from "../failure.js";
import { packageVersion } from "../version.js";

const TEMPLATE = fileURLToPath(new URL("../../template/", import.meta.url));

/**
 * Writes the package of a new bridge.
 *
 * @param name the network's id, `my-network`
 * @returns the files, relative to `directory`
 * @throws CliError where there is something already
 */
export async function scaffold(name: string, directory: string): Promise<string[]> {
  if (!(await isEmpty(directory)))
    throw new CliError("wouldOverwrite", `${directory} is not empty. Give another directory with --directory.`);
  const files: string[] = [];
  for (const entry of await readdir(TEMPLATE, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const source = join(entry.parentPath, entry.name);
    // npm leaves files of this name out of a package.
    const file = source.slice(TEMPLATE.length).replace(/^gitignore$/, ".gitignore");
    await mkdir(dirname(join(directory, file)), { recursive: true });
    await writeFile(join(directory, file), filledIn(await readFile(source, "utf8"), name), { flag: "wx" });
    files.push(file);
  }
  return files.sort();
}

/** The template is a package of its own: the bridge to My Network. */
function filledIn(text: string, name: string): string {
  const words = name.split("-").map((word) => word.slice(0, 1).toUpperCase() + word.slice(1));
  return text
    .replaceAll("0.0.0-trestle", packageVersion())
    .replaceAll("my-network", name)
    .replaceAll("My Network", words.join(" "))
    .replaceAll("MyNetwork", words.join(""));
}

async function isEmpty(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).length === 0;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return true;
    throw error;
  }
}
