import { z } from "zod";

const referenceSchema = z.tuple([z.string().min(1), z.url({ protocol: /^https?$/ })]);

/** Where a file of Slack's is: whose token opens it, and its private URL. */
export interface FileReference {
  readonly team: string;
  readonly url: string;
}

export function fileReferenceOf({ team, url }: FileReference): string {
  return JSON.stringify([team, url]);
}

/** @throws ZodError where it is none of ours */
export function readFileReference(reference: string): FileReference {
  const [team, url] = referenceSchema.parse(JSON.parse(reference));
  return { team, url };
}
