import { answerOf, findProgram, type Found, type Missing } from "./found.js";

export interface SlixmppInstall {
  /** The Python that has it. */
  readonly command: string;
}

/** The library, in the Python of the distribution or the first on the PATH. */
export function findSlixmpp(): Found<SlixmppInstall> | Missing {
  const commands = ["/usr/bin/python3", findProgram("python3")].filter((command) => command !== undefined);
  for (const command of commands) {
    const version = answerOf(command, ["-c", "import slixmpp; print('slixmpp', slixmpp.__version__)"]);
    const found = /^slixmpp [0-9.]+$/m.exec(version ?? "")?.[0];
    if (found !== undefined) return { found: true, version: found, where: command, install: { command } };
  }
  return { found: false, reason: "no Python with slixmpp", cure: "sudo apt-get install python3-slixmpp" };
}
