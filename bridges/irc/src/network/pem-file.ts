import { readFileSync } from "node:fs";

/**
 * Reads a file that an option of a network names.
 * @throws Error that says which option of which network
 */
export function readPemFile(network: string, option: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`The file of the option ${option} of the network ${network} cannot be read: ${String(error)}`, {
      cause: error,
    });
  }
}
