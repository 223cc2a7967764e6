import { answerOf, findProgram, type Found, type Missing } from "./found.js";

export interface ChromiumInstall {
  /** The program, for playwright-core's `executablePath`. */
  readonly executable: string;
  /** What it must be told to run as root, without a display, and to stay off the network. */
  readonly args: readonly string[];
}

export function findChromium(): Found<ChromiumInstall> | Missing {
  const cure = "sudo apt-get install chromium";
  const executable = process.env["CHROMIUM_PATH"] ?? findProgram("chromium", "chromium-browser", "google-chrome");
  if (executable === undefined) return { found: false, reason: "no program chromium", cure };
  const version = /^(?:Chromium|Google Chrome) [0-9.]+/m.exec(answerOf(executable, ["--version"]) ?? "")?.[0];
  if (version === undefined) return { found: false, reason: `${executable} does not run`, cure };
  const args = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ];
  return { found: true, version, where: executable, install: { executable, args } };
}
