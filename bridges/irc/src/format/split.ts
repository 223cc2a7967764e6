import { cutToBytes } from "../wire/sanitise.js";

export function splitText(text: string, bytes: number): string[] {
  const parts: string[] = [];
  let rest = text;
  while (rest !== "") {
    const part = cutToBytes(rest, bytes) || rest.slice(0, 1);
    parts.push(part);
    rest = rest.slice(part.length);
  }
  return parts;
}
