import type { Attempt, AttemptResult, Delivery, Transport } from "./delivery.js";
import type { HttpPoster } from "./http-post.js";
import { signatureHeaders } from "./signature.js";

const mostRedirects = 2;

/** Events to an app's request URL: signed, to be answered with 2xx in time. */
export class HttpTransport implements Transport {
  readonly #poster: HttpPoster;
  readonly #loseAck: (delivery: Delivery) => boolean;

  constructor(options: { readonly poster: HttpPoster; readonly loseAck: (delivery: Delivery) => boolean }) {
    this.#poster = options.poster;
    this.#loseAck = options.loseAck;
  }

  async attempt(delivery: Delivery, attempt: Attempt): Promise<AttemptResult> {
    const body = JSON.stringify(delivery.body);
    let url = delivery.app.requestUrl ?? "";
    for (let redirects = 0; redirects <= mostRedirects; redirects++) {
      // The signature carries the true time, whatever the emulator's clock says: the app compares it with its own.
      const headers: Record<string, string> = {
        "content-type": "application/json",
        ...signatureHeaders(delivery.app.signingSecret, body, Date.now()),
      };
      if (attempt.number > 0) {
        headers["x-slack-retry-num"] = String(attempt.number);
        headers["x-slack-retry-reason"] = attempt.reason ?? "unknown_error";
      }
      const result = await this.#poster.post(url, headers, body);
      if ("failure" in result) return { ok: false, reason: result.failure };
      const { answer } = result;
      if (answer.status >= 200 && answer.status < 300)
        return this.#loseAck(delivery) ? { ok: false, reason: "http_timeout" } : { ok: true };
      const location = answer.headers.location;
      if (
        (answer.status === 301 || answer.status === 302) &&
        typeof location === "string" &&
        URL.canParse(location, url)
      ) {
        url = new URL(location, url).href;
        continue;
      }
      return { ok: false, reason: "http_error", final: answer.headers["x-slack-no-retry"] === "1" };
    }
    return { ok: false, reason: "too_many_redirects" };
  }
}
