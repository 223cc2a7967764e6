import { spawnSync } from "node:child_process";

/** What a process did to its files, in the order in which it did it. */
export type FileCall =
  | { readonly call: "write"; readonly path: string; readonly at: number; readonly data: Buffer }
  | { readonly call: "truncate"; readonly path: string; readonly length: number }
  | { readonly call: "create"; readonly path: string }
  /** `began` is the place in the list before which everything is certain to be on the disk. */
  | { readonly call: "synced"; readonly path: string; readonly began: number }
  /** It said something, on its standard output. */
  | { readonly call: "said"; readonly text: string };

/** Why calls cannot be recorded here; `undefined` where they can. */
export function whyNoStrace(): string | undefined {
  const tried = spawnSync("strace", ["-f", "-e", "trace=write", "true"], { encoding: "utf8" });
  if (tried.error) return "strace is not installed";
  return tried.status === 0 ? undefined : `strace cannot be used: ${tried.stderr.trim().slice(-200)}`;
}

const calls = "openat,pwrite64,write,ftruncate,fsync,fdatasync";

/** The command that records what another command does. */
export function recording(file: string, command: readonly string[]): string[] {
  return [
    "strace",
    "-f",
    "-y",
    "-xx",
    "-s",
    "70000",
    "-e",
    `trace=${calls}`,
    "-e",
    "signal=none",
    "-o",
    file,
    ...command,
  ];
}

export function readRecording(text: string): FileCall[] {
  const list: FileCall[] = [];
  const syncing = new Map<string, { readonly path: string; readonly began: number }>();
  for (const line of text.split("\n")) {
    const [, thread = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const sync = /^(?:fsync|fdatasync)\(\d+<([^>]*)>(\) += 0| <unfinished)/.exec(rest);
    if (sync) {
      const begun = { path: plain(sync[1]), began: list.length };
      if (sync[2]?.startsWith(")") === true) list.push({ call: "synced", ...begun });
      else syncing.set(thread, begun);
      continue;
    }
    const begun = syncing.get(thread);
    if (begun && /^<\.\.\. (?:fsync|fdatasync) resumed>\) += 0/.test(rest)) {
      list.push({ call: "synced", ...begun });
      syncing.delete(thread);
      continue;
    }
    const call = readCall(rest);
    if (call) list.push(call);
  }
  return list;
}

function readCall(rest: string): FileCall | undefined {
  const written = /^pwrite64\(\d+<([^>]*)>, "((?:\\x[0-9a-f]{2})*)", \d+, (\d+)/.exec(rest);
  if (written) return { call: "write", path: plain(written[1]), at: Number(written[3]), data: bytes(written[2] ?? "") };
  const said = /^write\(1<[^>]*>, "((?:\\x[0-9a-f]{2})*)"/.exec(rest);
  if (said) return { call: "said", text: bytes(said[1] ?? "").toString() };
  const cut = /^ftruncate\(\d+<([^>]*)>, (\d+)/.exec(rest);
  if (cut) return { call: "truncate", path: plain(cut[1]), length: Number(cut[2]) };
  const created = /^openat\(.*O_CREAT.* = \d+<([^>]*)>/.exec(rest);
  return created ? { call: "create", path: plain(created[1]) } : undefined;
}

/** With `-xx` paths may be in hexadecimal digits as well. */
function plain(path = ""): string {
  return path.startsWith("\\x") ? bytes(path).toString() : path;
}

function bytes(text: string): Buffer {
  return Buffer.from(text.replaceAll("\\x", ""), "hex");
}
