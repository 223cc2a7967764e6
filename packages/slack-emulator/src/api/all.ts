import { authMethods } from "./auth.js";
import { chatMethods } from "./chat.js";
import { managingMethods } from "./conversations/managing.js";
import { membershipMethods } from "./conversations/membership.js";
import { readingMethods } from "./conversations/reading.js";
import { fileMethods } from "./files.js";
import type { Method } from "./method.js";
import { pinMethods } from "./pins.js";
import { reactionMethods } from "./reactions.js";
import { userMethods } from "./users.js";
import { workspaceMethods } from "./workspace.js";

/** Every method by its name. */
export const methods: ReadonlyMap<string, Method> = new Map(
  [
    authMethods,
    chatMethods,
    managingMethods,
    membershipMethods,
    readingMethods,
    fileMethods,
    pinMethods,
    reactionMethods,
    userMethods,
    workspaceMethods,
  ]
    .flat()
    .map((each) => [each.name, each]),
);
