import { until } from "../support/bounded.js";
import { ChannelId, RemoteMessageId, RemoteUserId, type NetworkEvent, type NetworkHandlers } from "@trestle/core";
import { richTextOf, toPlainText } from "@trestle/rich-text";

/** What a network with every capability was asked to do, in order, in words. */
export class Recorder {
  readonly calls: string[] = [];
  readonly linked: string[] = [];
  readonly handlers: Partial<NetworkHandlers>;

  constructor(more: Partial<NetworkHandlers> = {}) {
    const done = (text: string): Promise<undefined> => {
      this.calls.push(text);
      return Promise.resolve(undefined);
    };
    this.handlers = {
      edit: ({ target, content }) =>
        done(`edit ${target.length} to ${content.type === "text" ? toPlainText(content.body) : content.type}`),
      redact: ({ target, reason }) =>
        done(`redact ${target.length}${reason === undefined ? "" : ` because ${reason}`}`),
      react: ({ key }) => done(`react ${key}`),
      unreact: ({ key }) => done(`unreact ${key}`),
      membership: ({ change, who }) => done(`${change} ${"remote" in who ? who.remote : who.name}`),
      topic: ({ topic }) => done(`topic ${topic}`),
      name: ({ name }) => done(`name ${name}`),
      linked: ({ channel }) => {
        this.linked.push(channel);
        return Promise.resolve();
      },
      ...more,
    };
  }
}

type Without<Event> = Event extends NetworkEvent ? Omit<Event, "id" | "channel"> : never;
let count = 0;

/** An event of a channel with an id of its own. */
export function happens(event: Without<NetworkEvent>, id = `event${++count}`, channel = "channel0"): NetworkEvent {
  return { ...event, id: RemoteMessageId(id), channel: ChannelId(channel) };
}

export function person(id: string, name = id): { id: RemoteUserId; name: string } {
  return { id: RemoteUserId(id), name };
}

export function text(body: string): { type: "text"; style: "text"; body: ReturnType<typeof richTextOf> } {
  return { type: "text", style: "text", body: richTextOf(body) };
}

/** Waits until something is so. */
export async function eventually(holds: () => boolean, what: string): Promise<void> {
  await until(8_000, what, () => (holds() ? true : undefined));
}
