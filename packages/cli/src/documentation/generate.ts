import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { generateDocuments } from "./documents.js";

const root = new URL("../../../../", import.meta.url);
for (const [path, content] of await generateDocuments()) {
  await writeFile(fileURLToPath(new URL(path, root)), content);
  process.stdout.write(`${path}\n`);
}
