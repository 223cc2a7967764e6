import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answerOf, findProgram, isExecutable, type Found, type Missing } from "./found.js";

/** How Synapse is started on this machine. */
export interface SynapseInstall {
  readonly command: string;
  /** Come before the homeserver's own arguments. */
  readonly args: readonly string[];
  /** Where the test's directories are made. */
  readonly workspace: string;
  /** How a path below `workspace` is called by Synapse itself. */
  inside(path: string): string;
}

const HOMESERVER = ["-m", "synapse.app.homeserver"];
const PROBE = ["-c", 'import synapse, synapse.app.homeserver; print("Synapse " + synapse.__version__)'];
/** Where `.ci/synapse` installs it. */
const CACHE = "/var/cache/trestle-ci";
const CURE =
  "sudo apt-get install debootstrap && sudo bash .ci/synapse, or: python3 -m venv DIR && DIR/bin/pip install matrix-synapse, then TRESTLE_SYNAPSE_ROOT=DIR";

/** Looks where `TRESTLE_SYNAPSE_ROOT` says, else where `.ci/synapse` installs, else on the PATH. */
export function findSynapse(): Found<SynapseInstall> | Missing {
  const root = process.env["TRESTLE_SYNAPSE_ROOT"];
  if (root !== undefined && root !== "") return inDirectory(root);
  const reasons: string[] = [];
  for (const directory of [join(CACHE, "venv"), join(CACHE, "sid")].filter(existsSync)) {
    const found = inDirectory(directory);
    if (found.found) return found;
    reasons.push(found.reason);
  }
  return (
    onPath() ?? {
      found: false,
      reason: reasons[0] ?? "no Synapse in the cache of .ci/synapse, none on the PATH",
      cure: CURE,
    }
  );
}

/** A virtual environment, or the root of a Debian system. */
function inDirectory(directory: string): Found<SynapseInstall> | Missing {
  const python = join(directory, "bin", "python3");
  if (existsSync(join(directory, "pyvenv.cfg")) && isExecutable(python))
    return withPython(python, directory) ?? broken(directory, "the virtual environment has no working Synapse");
  if (!existsSync(join(directory, "usr/bin/python3")))
    return broken(directory, "it is neither a virtual environment nor the root of a Debian system");
  if (process.getuid?.() !== 0) return broken(directory, "it can be entered with chroot by root alone");
  const chroot = findProgram("chroot");
  if (chroot === undefined) return broken(directory, "there is no chroot program");
  const version = answerOf(chroot, [directory, "/usr/bin/python3", ...PROBE]);
  if (version === undefined) return broken(directory, "Synapse does not start in it");
  const install: SynapseInstall = {
    command: chroot,
    args: [directory, "/usr/bin/python3", ...HOMESERVER],
    workspace: join(directory, "srv"),
    inside: (path) => path.slice(directory.replace(/\/+$/, "").length),
  };
  return { found: true, version, where: `in the root ${directory}`, install };
}

function broken(directory: string, why: string): Missing {
  return { found: false, reason: `${directory}: ${why}`, cure: CURE };
}

function withPython(python: string, where: string): Found<SynapseInstall> | undefined {
  const version = answerOf(python, PROBE);
  if (version === undefined) return undefined;
  return {
    found: true,
    version,
    where,
    install: { command: python, args: HOMESERVER, workspace: tmpdir(), inside: (path) => path },
  };
}

function onPath(): Found<SynapseInstall> | undefined {
  const program = findProgram("synapse_homeserver");
  const version = program === undefined ? undefined : answerOf(program, ["--version"]);
  if (program !== undefined && version !== undefined)
    return {
      found: true,
      version,
      where: program,
      install: { command: program, args: [], workspace: tmpdir(), inside: (path) => path },
    };
  const python = findProgram("python3");
  return python === undefined ? undefined : withPython(python, python);
}
