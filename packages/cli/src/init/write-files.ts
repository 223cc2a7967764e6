import { access, chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { CliError } from "../failure.js";
import type { PlannedFile } from "./plan.js";

/**
 * Writes files, none or all. Existing ones are replaced only with `force`, and those to keep never.
 *
 * @throws CliError `wouldOverwrite`
 */
export async function writeFiles(files: readonly PlannedFile[], force: boolean): Promise<readonly string[]> {
  const present = await Promise.all(files.map((file) => exists(file.path)));
  const kept = files.filter((file, index) => file.keep === true && present[index] === true);
  const inTheWay = files.filter((file, index) => present[index] === true && !kept.includes(file));
  if (inTheWay.length > 0 && !force) {
    const names = inTheWay.map((file) => file.path).join("\n  ");
    throw new CliError(
      "wouldOverwrite",
      `Nothing was written, because these exist already (--force replaces them):\n  ${names}`,
    );
  }
  const written = files.filter((file) => !kept.includes(file));
  for (const file of written) {
    await mkdir(dirname(file.path), { recursive: true });
    await writeFile(file.path, file.content, { mode: file.mode, flag: force ? "w" : "wx" });
    await chmod(file.path, file.mode);
  }
  return written.map((file) => file.path);
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
