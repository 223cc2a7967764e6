import { answerOf, findProgram, type Found, type Missing } from "./found.js";

export interface GoSendxmppInstall {
  readonly command: string;
}

export function findGoSendxmpp(): Found<GoSendxmppInstall> | Missing {
  const cure = "sudo apt-get install go-sendxmpp";
  const command = findProgram("go-sendxmpp");
  if (command === undefined) return { found: false, reason: "no program go-sendxmpp", cure };
  const version = /^go-sendxmpp .*$/m.exec(answerOf(command, ["--version"]) ?? "")?.[0];
  if (version === undefined) return { found: false, reason: `${command} does not run`, cure };
  return { found: true, version, where: command, install: { command } };
}
