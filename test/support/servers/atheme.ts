import { answerOf, findProgram, type Found, type Missing } from "./found.js";

export interface AthemeInstall {
  readonly command: string;
}

/** The services of real IRC networks: accounts, NickServ, SASL. */
export function findAtheme(): Found<AthemeInstall> | Missing {
  const cure = "sudo apt-get install atheme-services";
  const command = findProgram("atheme-services");
  if (command === undefined) return { found: false, reason: "no program atheme-services", cure };
  const version = /\(atheme ([0-9.]+)\)/.exec(answerOf(command, ["-v"]) ?? "")?.[1];
  if (version === undefined) return { found: false, reason: `${command} does not run`, cure };
  return { found: true, version: `Atheme ${version}`, where: command, install: { command } };
}
