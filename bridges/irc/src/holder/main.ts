/**
 * The connection holder: a small process that keeps the connections to IRC servers while the bridge restarts.
 * Arguments: the path of its socket, the file with its token, how long (in milliseconds) it waits for a bridge.
 */
import { readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { Holder } from "./holder.js";
import { claimPath, holdsPath, removeIfThere } from "./lock.js";

const [path, tokenFile, grace] = process.argv.slice(2);
if (path === undefined || tokenFile === undefined || !/^\d+$/.test(grace ?? "")) {
  process.stderr.write("usage: main.js <socket> <token file> <grace in ms>\n");
  process.exit(2);
}
process.title = "trestle-irc-holder";
const token = readFileSync(tokenFile, "utf8").trim();

let inode = 0;
const server = createServer((socket) => holder.accept(socket));
const holder = new Holder({
  token,
  graceMs: Number(grace),
  quit: "Bridge stopped",
  onEnd: () => {
    if (holdsPath(path, inode)) removeIfThere(path);
    process.exit(0);
  },
});

process.on("SIGHUP", () => undefined);
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => holder.end("QUIT :Bridge stopped"));

process.umask(0o077);
if (await claimPath(server, path)) {
  inode = statSync(path).ino;
} else {
  process.exit(0);
}
