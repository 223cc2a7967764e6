import { type ChildProcess, spawn } from "node:child_process";

/** Asks a process to end when this one dies without having done so: the guard's standard input closes then. */
export function guardOf(child: ChildProcess): ChildProcess {
  const guard = spawn("/bin/sh", ["-c", 'read -r _; kill -TERM "$1"', "guard", String(child.pid)], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Without a shell there is no guard; the process is ended in good order all the same.
  guard.once("error", () => undefined);
  guard.stdin.once("error", () => undefined);
  return guard;
}
