import { randomBytes } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "../config/error-text.js";

const tokenFile = "admin-token";
const addressFile = "operations-address";

/**
 * The secret by which the command line reaches a running Trestle: `<dataDirectory>/admin-token`, made at the first
 * start, readable by its owner alone.
 */
export async function ensureAdminToken(dataDirectory: string): Promise<string> {
  await mkdir(dataDirectory, { recursive: true });
  const file = join(dataDirectory, tokenFile);
  const token = randomBytes(32).toString("hex");
  try {
    await writeFile(file, `${token}\n`, { flag: "wx", mode: 0o600 });
    return token;
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
  const existing = (await readFile(file, "utf8")).trim();
  if (existing.length >= 32) return existing;
  await writeFile(file, `${token}\n`, { mode: 0o600 });
  return token;
}

/** Says where the operations listener is (its port may have been chosen by the system); removed by `forgetOperationsAddress`. */
export async function publishOperationsAddress(dataDirectory: string, url: string): Promise<void> {
  await writeFile(join(dataDirectory, addressFile), `${url}\n`, { mode: 0o600 });
}

/** Removes the published address: Trestle ends. */
export async function forgetOperationsAddress(dataDirectory: string): Promise<void> {
  await rm(join(dataDirectory, addressFile), { force: true });
}

/** What a running Trestle left for those who may read its data directory. */
export interface AdminAccess {
  /** `undefined` where no Trestle has said so. */
  readonly url: string | undefined;
  /** `undefined` where no Trestle has ever run. */
  readonly token: string | undefined;
}

/** What a running Trestle left for the command line. */
export async function readAdminAccess(dataDirectory: string): Promise<AdminAccess> {
  const [url, token] = await Promise.all(
    [addressFile, tokenFile].map((name) => readOptional(join(dataDirectory, name))),
  );
  return { url, token };
}

async function readOptional(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
