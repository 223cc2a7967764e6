import type { Answer } from "./http-server.js";

export const serverName = "bench.local";

/** The client API of a homeserver that agrees with everything, and counts what it is asked. */
export class MockHomeserver {
  readonly #requests = new Map<string, number>();
  /** As in Synapse the answer is kept under the path alone, whoever sends. */
  readonly #answered = new Map<string, string>();
  readonly #profiles = new Map<string, string>();
  #lastEvent = 0;
  /** Sends answered from the cache: attempts repeated under the same transaction id. */
  repeated = 0;
  /** How long each kind of request takes; `undefined` answers at once. */
  cost: { readonly join: number; readonly other: number } | undefined;

  constructor(private readonly onMessage: (room: string, content: string) => void) {}

  answer(method: string, target: string, body: string): Answer {
    const query = target.indexOf("?");
    const path = query < 0 ? target : target.slice(0, query);
    const route = this.#route(method, path);
    this.#requests.set(route, (this.#requests.get(route) ?? 0) + 1);
    const answer =
      route === "PUT send"
        ? this.#send(path, body)
        : (this.#profile(route, path, body) ?? otherAnswer(route, path, target));
    if (this.cost === undefined) return answer;
    return { ...answer, costMs: route === "POST join" ? this.cost.join : this.cost.other };
  }

  requests(): Record<string, number> {
    return Object.fromEntries(this.#requests);
  }

  #route(method: string, path: string): string {
    if (method === "PUT" && path.includes("/send/")) return "PUT send";
    const parts = path.replace(/^\/_matrix\/(client|media|app)\/(v\d+|r0|unstable)?\/?/, "").split("/");
    if (parts[0] === "join" || parts[2] === "join") return "POST join";
    if (parts[0] === "rooms")
      return `${method} ${parts[2] === "state" && parts[3] !== undefined ? `state ${decodeURIComponent(parts[3])}` : (parts[2] ?? "rooms")}`;
    if (parts[0] === "profile") return `${method} profile ${parts[2] ?? ""}`.trim();
    return `${method} ${parts[0] ?? ""}${parts[0] === "account" || parts[0] === "appservice" ? `/${parts.at(-1)}` : ""}`;
  }

  /** A profile is what was last written to it. */
  #profile(route: string, path: string, body: string): Answer | undefined {
    const user = /\/profile\/([^/]+)/.exec(path)?.[1];
    if (user === undefined) return undefined;
    if (route.startsWith("PUT")) {
      this.#profiles.set(user, body);
      return { status: 200, body: "{}" };
    }
    const profile = this.#profiles.get(user);
    return profile === undefined ? undefined : { status: 200, body: profile };
  }

  #send(path: string, body: string): Answer {
    const known = this.#answered.get(path);
    if (known !== undefined) {
      this.repeated += 1;
      return { status: 200, body: known };
    }
    const answer = `{"event_id":"$sent${++this.#lastEvent}"}`;
    this.#answered.set(path, answer);
    const room = path.slice(path.indexOf("/rooms/") + 7, path.indexOf("/send/"));
    this.onMessage(decodeURIComponent(room), body);
    return { status: 200, body: answer };
  }
}

const notFound: Answer = { status: 404, body: `{"errcode":"M_NOT_FOUND","error":"Not here"}` };
const json = (value: unknown): Answer => ({ status: 200, body: JSON.stringify(value) });

function otherAnswer(route: string, path: string, target: string): Answer {
  const user = new URLSearchParams(target.slice(target.indexOf("?") + 1)).get("user_id") ?? `@benchbot:${serverName}`;
  switch (route) {
    case "GET versions":
      return json({ versions: ["v1.1", "v1.11", "v1.12", "v1.13"], unstable_features: {} });
    case "GET account/whoami":
      return json({ user_id: user });
    case "POST appservice/ping":
      return json({ duration_ms: 1 });
    case "POST join":
      return json({
        room_id: decodeURIComponent(
          path.split("/").find((part) => part.startsWith("!") || part.startsWith("%21")) ?? "",
        ),
      });
    case "GET joined_rooms":
      return json({ joined_rooms: [] });
    case "GET joined_members":
      return json({ joined: {} });
    case "GET messages":
      return json({ start: "s1", chunk: [] });
    case "GET members":
      return json({ chunk: [] });
    case "GET state":
      return json([]);
    case "GET state m.room.create":
      return json({ room_version: "11" });
    case "GET state m.room.power_levels":
      return json({ users: { [`@benchbot:${serverName}`]: 100 } });
    case "POST register":
      return json({ user_id: user });
    default:
      if (route.startsWith("GET state ") || route.startsWith("GET profile")) return notFound;
      if (route.startsWith("PUT state ")) return json({ event_id: "$state" });
      return json({});
  }
}
