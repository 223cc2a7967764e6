import { badJson } from "../errors.js";
import type { RequestContext } from "../http/context.js";
import type { Reply } from "../http/reply.js";
import { ok } from "../http/reply.js";
import type { Router } from "../http/router.js";
import type { JsonObject } from "../json.js";
import { isStringArray, objectField, stringField } from "../json.js";
import { clientEvent } from "../rooms/event.js";
import type { StoredEvent } from "../rooms/event.js";
import { eventFilter } from "../rooms/pagination.js";
import { canSee } from "../rooms/visibility.js";

const KEYS = ["content.body", "content.name", "content.topic"];
const DEFAULT_PAGE = 10;

/** Search for words in the rooms that the user is in; newest first, without context. */
export function searchRoutes(router: Router): void {
  router.add("POST", "/_matrix/client/v3/search", search);
}

function search(context: RequestContext): Reply {
  const categories = objectField(context.json(), "search_categories");
  const criteria = categories === undefined ? undefined : objectField(categories, "room_events");
  if (criteria === undefined) return ok({ search_categories: {} });
  const term = stringField(criteria, "search_term");
  if (term === undefined) throw badJson("'search_term' is missing");
  const words = term.toLowerCase().split(/\s+/u).filter(Boolean);
  const given = criteria["keys"];
  const keys = isStringArray(given) ? given : KEYS;

  const filter = eventFilter(objectField(criteria, "filter"));
  const found = context.world.rooms
    .joinedRooms(context.userId)
    .flatMap((room) => room.events.filter((event) => filter.matches(event) && canSee(room, context.userId, event)))
    .filter((event) => words.length > 0 && words.every((word) => textOf(event, keys).includes(word)))
    .sort((left, right) => right.position - left.position);
  const from = Number(context.query.get("next_batch") ?? "0");
  const size = filter.limit ?? DEFAULT_PAGE;
  const results = found.slice(from, from + size).map((event): JsonObject => ({
    rank: 1,
    result: clientEvent(event, context.requester),
  }));
  return ok({
    search_categories: {
      room_events: {
        count: found.length,
        highlights: words,
        results,
        ...(from + size < found.length ? { next_batch: String(from + size) } : {}),
      },
    },
  });
}

function textOf(event: StoredEvent, keys: readonly string[]): string {
  return keys
    .map((key) => {
      const value = event.content[key.replace(/^content\./u, "")];
      return typeof value === "string" ? value.toLowerCase() : "";
    })
    .join("\n");
}
