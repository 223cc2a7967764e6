import { randomBytes, randomUUID } from "node:crypto";
import { chmod, link, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

const fileName = "media-proxy.key";
const secretBytes = 32;

/**
 * The secret that media links are signed with: 32 bytes in `media-proxy.key` of a directory, made at first use and
 * readable for its owner alone. To make every link that was ever given out invalid, delete the file and restart.
 */
export async function loadMediaSecret(dataDirectory: string): Promise<Uint8Array> {
  const path = join(dataDirectory, fileName);
  const secret = (await readIfThere(path)) ?? (await create(dataDirectory, path));
  if (secret.length !== secretBytes) {
    throw new Error(
      `${path} should hold ${secretBytes} bytes and holds ${secret.length}. Delete it to have a new one made; links given out before then stop working.`,
    );
  }
  await chmod(path, 0o600);
  return secret;
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Complete or not at all: written under another name first, and never over a file that is there. */
async function create(directory: string, path: string): Promise<Buffer> {
  const temporary = join(directory, `${fileName}.${randomUUID()}`);
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(randomBytes(secretBytes));
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(temporary, path);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  return await readFile(path);
}

function hasCode(error: unknown, code: string): boolean {
  return typeof error === "object" && error !== null && "code" in error && error.code === code;
}
