import { z } from "zod";

const referenceSchema = z.union([
  z.tuple([z.string().min(1), z.url({ protocol: /^https?$/ })]),
  z.tuple([z.string().min(1), z.url({ protocol: /^https?$/ }), z.string().min(1)]),
]);

/** Where a file of Slack's is: whose token opens it, and its private URL. */
export interface FileReference {
  readonly team: string;
  readonly url: string;
  /** Who signed in and may see it, where the app may not. */
  readonly user?: string;
}

export function fileReferenceOf({ team, url, user }: FileReference): string {
  return JSON.stringify(user === undefined ? [team, url] : [team, url, user]);
}

/** @throws ZodError where it is none of ours */
export function readFileReference(reference: string): FileReference {
  const [team, url, user] = referenceSchema.parse(JSON.parse(reference));
  return { team, url, ...(user !== undefined && { user }) };
}
