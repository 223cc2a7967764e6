import type { JsonObject } from "../json.js";

/** An error a method answers with: `{ok: false, error}` and, for some errors, more. */
export class SlackError extends Error {
  readonly code: string;
  readonly fields: JsonObject;

  constructor(code: string, fields: JsonObject = {}) {
    super(`Slack answers ${code}`);
    this.name = "SlackError";
    this.code = code;
    this.fields = fields;
  }
}
