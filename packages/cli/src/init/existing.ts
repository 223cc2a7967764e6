import { readFile } from "node:fs/promises";
import { parseRegistration } from "@trestle/core";
import type { RegistrationDocument } from "@trestle/core";

/** A registration that is there already, where it can be used; its tokens are kept. */
export async function existingRegistration(
  path: string,
  serverName: string,
): Promise<RegistrationDocument | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  return parseRegistration(text, path, serverName).registration?.document;
}
