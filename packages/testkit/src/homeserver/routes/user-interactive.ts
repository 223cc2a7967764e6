import type { RequestContext } from "../http/context.js";
import type { Reply } from "../http/reply.js";
import { randomLetters } from "../ids.js";
import type { JsonObject } from "../json.js";
import { objectField, stringField } from "../json.js";

/**
 * User-interactive authentication by the password, which application services need not (Application Service API,
 * "Managing devices and enhanced user-facing security").
 * @returns the refusal to answer with, or `undefined` where the user has proved who they are
 */
export function refuseWithoutPassword(context: RequestContext, body: JsonObject): Reply | undefined {
  if (context.requester.service !== undefined) return undefined;
  const auth = objectField(body, "auth");
  const { password } = context.account;
  if (auth !== undefined && password !== undefined && stringField(auth, "password") === password) return undefined;
  const denied = auth === undefined ? {} : { errcode: "M_FORBIDDEN", error: "Invalid password" };
  return {
    status: 401,
    json: {
      flows: [{ stages: ["m.login.password"] }],
      params: {},
      session: stringField(auth ?? {}, "session") ?? randomLetters(24),
      completed: [],
      ...denied,
    },
  };
}
