import { type ClientRequest, type IncomingMessage, request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";
import type { FailureReason } from "./delivery.js";

/** What an app answered. */
export interface PostAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** The answer, or why there was none. */
export type PostResult = { readonly answer: PostAnswer } | { readonly failure: FailureReason };

const longestAnswer = 1_000_000;

/** Posts to apps over HTTP. */
export class HttpPoster {
  readonly #timeout: number;
  readonly #underway = new Set<ClientRequest>();

  /** The timeout is in milliseconds of true time. */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  /** Posts once; a new connection each time, as nothing is known of the app's own keep-alive. */
  post(url: string, headers: Record<string, string>, body: string): Promise<PostResult> {
    if (!URL.canParse(url)) return Promise.resolve({ failure: "connection_failed" });
    return new Promise((resolve) => {
      const send = url.startsWith("https:") ? tlsRequest : plainRequest;
      const request = send(url, { method: "POST", agent: false, headers: { ...headers, ...usualHeaders(body) } });
      this.#underway.add(request);
      const done = (result: PostResult) => {
        clearTimeout(timer);
        this.#underway.delete(request);
        resolve(result);
      };
      const timer = setTimeout(() => {
        done({ failure: "http_timeout" });
        request.destroy();
      }, this.#timeout);
      request.on("response", (response) => read(response, done));
      request.on("error", (error) => done({ failure: reasonOf(error) }));
      request.on("close", () => done({ failure: "connection_failed" }));
      request.end(body);
    });
  }

  /** Breaks off what is under way. */
  close(): void {
    for (const request of this.#underway) request.destroy();
  }
}

function usualHeaders(body: string): Record<string, string> {
  return {
    "content-length": String(Buffer.byteLength(body)),
    "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
    accept: "*/*",
  };
}

function read(response: IncomingMessage, done: (result: PostResult) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  response.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length <= longestAnswer) chunks.push(chunk);
  });
  response.on("error", () => done({ failure: "connection_failed" }));
  response.on("end", () => {
    const body = Buffer.concat(chunks).toString("utf8");
    done({ answer: { status: response.statusCode ?? 0, headers: response.headers, body } });
  });
}

function reasonOf(error: NodeJS.ErrnoException): FailureReason {
  return /CERT|SSL|TLS/.test(error.code ?? "") ? "ssl_error" : "connection_failed";
}
