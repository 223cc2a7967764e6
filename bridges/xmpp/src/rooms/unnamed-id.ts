import { randomUUID } from "node:crypto";

const form = /^x-[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/** An id for a message to which the room gave none: nobody else knows it, and it is no place in an archive. */
export function makeUnnamedId(): string {
  return `x-${randomUUID()}`;
}

/** The whole form counts: ids of rooms may begin alike, those of Prosody are random. */
export function isUnnamed(id: string): boolean {
  return form.test(id);
}
