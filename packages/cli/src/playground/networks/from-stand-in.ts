import type { StandIn, StandInNetwork, StandInSeen } from "../../testing/stand-in.js";
import type { NetworkSide, NetworkStage, PlaygroundNetwork } from "../network.js";
import { Timeline } from "../timeline.js";

const LOOK_EVERY_MS = 50;

export function isStandIn(value: unknown): value is StandInNetwork {
  if (typeof value !== "object" || value === null) return false;
  return ["connector", "name", "standIn"].every((key) => key in value);
}

/** Shows a network by its stand-in, which is asked again and again what has been seen. */
export function fromStandIn({ connector, name, standIn }: StandInNetwork): PlaygroundNetwork {
  const [person] = standIn.people;
  return {
    connector: connector instanceof URL ? decodeURIComponent(connector.pathname) : connector,
    name,
    place: `a channel of ${name}`,
    person,
    open: (stage) => open(standIn, stage),
  };
}

async function open(standIn: StandIn, stage: NetworkStage): Promise<NetworkSide> {
  const { config, channels } = await standIn.start();
  const [channel] = channels;
  const [person] = standIn.people;
  const timeline = new Timeline("network", person, "", stage.tell);
  let shown = 0;
  const look = setInterval(() => {
    for (const seen of standIn.seen(channel).slice(shown)) show(timeline, seen, (shown += 1), stage.heard);
  }, LOOK_EVERY_MS);
  return {
    channel,
    link: channel,
    settings: isSection(config) ? config : {},
    access: ["Its stand-in runs in the playground's own process."],
    get state() {
      return timeline.state;
    },
    say: async (text, { emote = false } = {}) => {
      const id = await standIn.say(channel, person, text, { emote });
      timeline.addMessage({
        id,
        from: { id: person, name: person },
        style: emote ? "emote" : "text",
        text,
        at: Date.now(),
      });
    },
    ...(standIn.setTopic !== undefined && {
      setTopic: async (topic: string) => standIn.setTopic?.(channel, person, topic),
    }),
    close: async () => {
      clearInterval(look);
      await standIn.stop();
    },
  };
}

const BRIDGE = "the bridge";

function show(timeline: Timeline, seen: StandInSeen, number: number, heard: (text: string) => void): void {
  const { kind, text = "", target, emote = false } = seen;
  if (kind === "message") {
    const id = seen.id ?? `seen-${number}`;
    const style = emote ? "emote" : "text";
    timeline.addMessage({ id, from: { id: BRIDGE, name: BRIDGE }, relayed: true, style, text, at: Date.now() });
    heard(text);
  } else if (kind === "edit" && target !== undefined) {
    timeline.edit(target, BRIDGE, { text });
  } else if (kind === "removal" && target !== undefined) {
    timeline.remove(target);
  } else if (kind === "topic") {
    timeline.setTopic(text);
  }
}

function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
