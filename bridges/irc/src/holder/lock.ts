import { linkSync, renameSync, statSync, unlinkSync } from "node:fs";
import { connect, type Server } from "node:net";
import { errorCode } from "./error-code.js";

/**
 * Makes a listening server reachable under `path`, where no other holder is. The socket is bound under a name of its own and then
 * linked, which fails where the path exists: two holders that start at once cannot both have it. Resolves to `false`
 * where another holder answers there.
 */
export async function claimPath(server: Server, path: string): Promise<boolean> {
  const own = `${path}.${process.pid}`;
  removeIfThere(own);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(own, () => {
      server.off("error", reject);
      resolve();
    });
  });
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      if (tryLink(own, path)) return true;
      if (await answers(path)) return false;
      await removeStale(path);
    }
    return false;
  } finally {
    removeIfThere(own);
  }
}

/** Whether `path` is still the socket with this inode. */
export function holdsPath(path: string, inode: number): boolean {
  try {
    return statSync(path).ino === inode;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** Takes the dead socket away; where it turns out to be alive after all, it is put back. */
async function removeStale(path: string): Promise<void> {
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return;
    throw error;
  }
  if (await answers(aside)) tryLink(aside, path);
  removeIfThere(aside);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

export function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
}
