/**
 * The connection holder: a small process that keeps the connections to IRC servers while the bridge restarts.
 * Arguments: the path of its socket, the file with its token, the file for what is left over at the end, and how long (in
 * milliseconds) it waits for a bridge.
 */
import { readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { Holder } from "./holder.js";
import { claimPath, holdsPath, removeIfThere } from "./lock.js";
import { SpoolFile } from "./spool.js";

const QUIT = "Bridge stopped";

const [path, tokenFile, spoolFile, grace] = process.argv.slice(2);
if (path === undefined || tokenFile === undefined || spoolFile === undefined || !/^\d+$/.test(grace ?? "")) {
  process.stderr.write("usage: main.js <socket> <token file> <spool file> <grace in ms>\n");
  process.exit(2);
}
process.umask(0o077);

const server = createServer();
if (!(await claimPath(server, path))) process.exit(0);
const inode = statSync(path).ino;
const spool = new SpoolFile(spoolFile);

const holder = new Holder({
  token: readFileSync(tokenFile, "utf8").trim(),
  graceMs: Number(grace),
  quit: QUIT,
  spool: spool.read(),
  onSpoolDone: () => spool.remove(),
  onEnd: (left) => {
    if (left.connections.length > 0 || left.effects.length > 0) spool.write(left);
    if (holdsPath(path, inode)) removeIfThere(path);
    process.exit(0);
  },
});
server.on("connection", (socket) => holder.accept(socket));

process.on("SIGHUP", () => undefined);
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => holder.end(`QUIT :${QUIT}`));
