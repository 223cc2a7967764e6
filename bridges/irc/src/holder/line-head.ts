/** The parts of a raw line that decide what becomes of it, found without decoding the rest. */
export interface LineHead {
  /** `nick!user@host` or a server's name, in Latin-1; empty where there is none. */
  readonly source: string;
  /** In upper case. */
  readonly command: string;
  /** Where the parameters begin. */
  readonly parameters: number;
}

const SPACE = 0x20;
const AT = 0x40;
const COLON = 0x3a;

export function headOf(line: Buffer): LineHead {
  let at = 0;
  let source = "";
  if (line[at] === AT) at = afterWord(line, at);
  if (line[at] === COLON) {
    const end = wordEnd(line, at);
    source = line.toString("latin1", at + 1, end);
    at = afterWord(line, at);
  }
  const command = line.toString("latin1", at, wordEnd(line, at)).toUpperCase();
  return { source, command, parameters: afterWord(line, at) };
}

/** The parameter that begins at `start`, in Latin-1, and where the next begins. */
export function parameterAt(line: Buffer, start: number): { readonly value: string; readonly next: number } {
  if (line[start] === COLON) return { value: line.toString("latin1", start + 1), next: line.length };
  return { value: line.toString("latin1", start, wordEnd(line, start)), next: afterWord(line, start) };
}

function wordEnd(line: Buffer, start: number): number {
  const end = line.indexOf(SPACE, start);
  return end === -1 ? line.length : end;
}

function afterWord(line: Buffer, start: number): number {
  let at = wordEnd(line, start);
  while (line[at] === SPACE) at++;
  return at;
}
