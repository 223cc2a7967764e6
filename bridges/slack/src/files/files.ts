import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { request } from "undici";
import { z } from "zod";
import type { Installations, SlackResult, Transport, Workspace } from "../link/index.js";
import { notYet, never } from "../link/index.js";
import type { Accounts } from "../people/accounts/index.js";
import { readFileReference } from "./reference.js";

const uploadSchema = z.looseObject({ upload_url: z.url({ protocol: /^https?$/ }), file_id: z.string().min(1) });
const completedSchema = z.looseObject({
  files: z.array(z.looseObject({ id: z.string(), permalink: z.string().optional() })).min(1),
});

/** A file that Slack has, in no channel yet. */
export interface UploadedFile {
  readonly id: string;
  readonly permalink: string | undefined;
}

export interface OpenedFile {
  readonly stream: Readable;
  readonly mimeType?: string;
  readonly size?: number;
}

const transferTimeoutMs = 10 * 60_000;
/** A file whose length nobody tells is read into memory: Slack wants to know it beforehand. */
const mostInMemory = 100 * 1024 * 1024;

/** Files to and from Slack, as streams. */
export class Files {
  constructor(
    readonly installations: Installations,
    readonly transport: Transport,
    readonly apiUrl: string,
    readonly accounts: Accounts,
  ) {}

  /**
   * Opens a file of Slack's, with the token of whoever may see it: the bot, or somebody who signed in.
   * @throws Error where Slack does not give it
   */
  async open(reference: string): Promise<OpenedFile> {
    const { team, url, user } = readFileReference(reference);
    if (!this.#isSlack(url)) throw new Error("The file is not with Slack: no token is shown there.");
    const account = user === undefined ? undefined : this.accounts.ofSlackUser(team, user);
    const workspace = account ? this.accounts.workspaceOf(account) : this.installations.get(team);
    if (!workspace) throw new Error(`The app is no longer in the workspace ${team}.`);
    const token = await workspace.token.current();
    if (!token.ok) throw new Error(token.reason);
    const answer = await request(url, {
      dispatcher: this.transport.dispatcher,
      headers: { authorization: `Bearer ${token.body}` },
      headersTimeout: 30_000,
      bodyTimeout: 60_000,
    });
    const type = single(answer.headers["content-type"]);
    if (answer.statusCode !== 200 || isLoginPage(type, url)) {
      await answer.body.dump();
      throw new Error(
        answer.statusCode === 200
          ? "Slack gave its login page instead of the file: the app lacks the scope files:read."
          : `Slack answered ${answer.statusCode} instead of the file.`,
      );
    }
    const length = Number(single(answer.headers["content-length"]));
    return {
      stream: answer.body,
      ...(type !== undefined && { mimeType: type }),
      ...(Number.isSafeInteger(length) && length > 0 && { size: length }),
    };
  }

  /** Brings a file to Slack without showing it anywhere. Done twice, it leaves a file that nobody sees. */
  async upload(
    workspace: Workspace,
    file: { readonly name: string; readonly stream: Readable; readonly size?: number | undefined },
    signal: AbortSignal,
  ): Promise<SlackResult<UploadedFile>> {
    const { stream, length } = await sized(file.stream, file.size);
    const place = await workspace.call({
      method: "files.getUploadURLExternal",
      arguments: { filename: file.name, length },
      answer: uploadSchema,
      signal,
    });
    if (!place.ok) {
      stream.destroy();
      return place;
    }
    const { upload_url, file_id } = place.body;
    const answer = await request(upload_url, {
      method: "POST",
      dispatcher: this.transport.dispatcher,
      headers: { "content-type": "application/octet-stream", "content-length": String(length) },
      body: stream,
      signal: AbortSignal.any([signal, AbortSignal.timeout(transferTimeoutMs)]),
    });
    await answer.body.dump();
    if (answer.statusCode !== 200) {
      const what = `Slack answered ${answer.statusCode} to the upload of ${file.name}`;
      return answer.statusCode >= 500 || answer.statusCode === 429 ? notYet(what) : never(what);
    }
    const completed = await workspace.call({
      method: "files.completeUploadExternal",
      arguments: { files: [{ id: file_id, title: file.name }] },
      answer: completedSchema,
      signal,
    });
    if (!completed.ok) return completed;
    const [done] = completed.body.files;
    return { ok: true, body: { id: file_id, permalink: done?.permalink } };
  }

  /** A token is shown to Slack alone (and to what stands for it in a test). */
  #isSlack(url: string): boolean {
    const { protocol, hostname, origin } = new URL(url);
    if (origin === new URL(this.apiUrl).origin) return true;
    return protocol === "https:" && (hostname === "slack.com" || hostname.endsWith(".slack.com"));
  }
}

async function sized(stream: Readable, size: number | undefined): Promise<{ stream: Readable; length: number }> {
  if (size !== undefined) return { stream, length: size };
  let seen = 0;
  stream.on("data", (chunk: Buffer) => {
    seen += chunk.length;
    if (seen > mostInMemory) stream.destroy(new Error("The file is too large to be sent without its length."));
  });
  const bytes = await buffer(stream);
  return { stream: Readable.from([bytes]), length: bytes.length };
}

/** Slack answers 200 with a page where a token may not have a file. */
function isLoginPage(type: string | undefined, url: string): boolean {
  return type?.startsWith("text/html") === true && !/\.html?(?:$|\?)/i.test(url);
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
