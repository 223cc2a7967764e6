import type { JsonObject } from "../json.js";
import type { App } from "../state/apps.js";
import type { Channel } from "../state/channels.js";
import type { World } from "../state/world.js";
import type { Audience } from "./audience.js";
import { authorizedTokens } from "./authorizations.js";
import type { Deliverer } from "./deliverer.js";
import { eventCallback, eventContext } from "./envelope.js";
import { rateLimitNotice } from "./notices.js";
import { subscribed, subscriptionName } from "./subscriptions.js";

const rememberedContexts = 10_000;
const hour = 3_600_000;
const minute = 60_000;

interface EventCount {
  hourStart: number;
  events: number;
  noticeAt: number;
}

/** Finds out which apps an event concerns and hands each of them one copy, with at most one authorization. */
export class Publisher {
  readonly #world: World;
  readonly #deliverer: Deliverer;
  readonly #contexts = new Map<string, { readonly app: App; readonly name: string; readonly audience: Audience }>();

  readonly #counts = new Map<string, EventCount>();
  readonly #perHour: number | undefined;

  constructor(world: World, deliverer: Deliverer, eventsPerHour: number | undefined) {
    this.#perHour = eventsPerHour;
    this.#world = world;
    this.#deliverer = deliverer;
  }

  publish(event: JsonObject, audience: Audience): void {
    const channel = channelOf(audience);
    const name = subscriptionName(event, channel);
    for (const app of this.#world.apps.values()) {
      if (audience.kind === "app" && app.id !== audience.appId) continue;
      const token = authorizedTokens(this.#world, app, name, audience)[0];
      // An app is told of its own end although it has no token any more.
      const farewell = audience.kind === "app" && subscribed(app.botEvents, name);
      if (token === undefined && !farewell) continue;
      const teamId = audience.teamId ?? token?.teamId ?? "";
      if (this.#exceeds(app, teamId)) continue;
      const eventId = this.#world.ids.next("Ev");
      const body = eventCallback(this.#world, { app, teamId, event, eventId, authorization: token, channel });
      this.#remember(eventContext({ eventId, app, teamId }), app, name, audience);
      this.#deliverer.deliver({ app, body, eventId, eventType: name, orderKey: channel?.id ?? teamId });
    }
  }

  /** Whom an event could have reached, by its context; undefined when it is unknown or another app's. */
  context(key: string, appId: string): { name: string; audience: Audience } | undefined {
    const context = this.#contexts.get(key);
    return context?.app.id === appId ? context : undefined;
  }

  /** Tells an app that it gets too many events in a workspace. */
  tellRateLimited(app: App, teamId: string): void {
    this.#deliverer.deliver({
      app,
      body: rateLimitNotice(this.#world, app, teamId),
      eventId: "",
      eventType: "app_rate_limited",
      orderKey: teamId,
    });
  }

  /** Counts an event; beyond the limit it is not sent, and once a minute the app is told so. */
  #exceeds(app: App, teamId: string): boolean {
    if (this.#perHour === undefined) return false;
    const now = this.#world.clock.now();
    const key = `${app.id} ${teamId}`;
    const count = this.#counts.get(key) ?? { hourStart: now, events: 0, noticeAt: -Infinity };
    this.#counts.set(key, count);
    if (now - count.hourStart >= hour) Object.assign(count, { hourStart: now, events: 0 });
    if (++count.events <= this.#perHour) return false;
    if (now - count.noticeAt >= minute) {
      count.noticeAt = now;
      this.tellRateLimited(app, teamId);
    }
    return true;
  }

  #remember(key: string, app: App, name: string, audience: Audience): void {
    this.#contexts.set(key, { app, name, audience });
    if (this.#contexts.size <= rememberedContexts) return;
    const [oldest] = this.#contexts.keys();
    if (oldest !== undefined) this.#contexts.delete(oldest);
  }
}

function channelOf(audience: Audience): Channel | undefined {
  return audience.kind === "channel" || audience.kind === "users" ? audience.channel : undefined;
}
