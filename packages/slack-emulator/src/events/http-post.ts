import { request as plainRequest } from "node:http";
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

/** Posts to an app; a new connection each time, as nothing is known of the app's own keep-alive. */
export function post(url: string, headers: Record<string, string>, body: string, timeout: number): Promise<PostResult> {
  return new Promise((resolve) => {
    const send = url.startsWith("https:") ? tlsRequest : plainRequest;
    const chunks: Buffer[] = [];
    let length = 0;
    const timer = setTimeout(() => {
      resolve({ failure: "http_timeout" });
      request.destroy();
    }, timeout);
    const done = (result: PostResult) => {
      clearTimeout(timer);
      resolve(result);
    };
    const request = send(
      url,
      {
        method: "POST",
        agent: false,
        headers: {
          ...headers,
          "content-length": String(Buffer.byteLength(body)),
          "user-agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
          accept: "*/*",
        },
      },
      (response) => {
        response.on("data", (chunk: Buffer) => {
          length += chunk.length;
          if (length <= longestAnswer) chunks.push(chunk);
        });
        response.on("error", () => done({ failure: "connection_failed" }));
        response.on("end", () =>
          done({
            answer: {
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks).toString("utf8"),
            },
          }),
        );
      },
    );
    request.on("error", (error: NodeJS.ErrnoException) =>
      done({ failure: /CERT|SSL|TLS/.test(error.code ?? "") ? "ssl_error" : "connection_failed" }),
    );
    request.end(body);
  });
}
