import { answerOf, findProgram, type Found, type Missing } from "./found.js";

export interface ProfanityInstall {
  readonly command: string;
  /** Gives it the terminal that it wants. */
  readonly script: string;
}

export function findProfanity(): Found<ProfanityInstall> | Missing {
  const cure = "sudo apt-get install profanity bsdutils";
  const command = findProgram("profanity");
  const script = findProgram("script");
  if (command === undefined || script === undefined)
    return { found: false, reason: `no program ${command === undefined ? "profanity" : "script"}`, cure };
  const version = /^Profanity, version ([0-9.]+)/m.exec(answerOf(command, ["--version"]) ?? "")?.[1];
  if (version === undefined) return { found: false, reason: `${command} does not run`, cure };
  return { found: true, version: `Profanity ${version}`, where: command, install: { command, script } };
}
