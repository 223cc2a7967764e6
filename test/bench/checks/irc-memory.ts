import { setTimeout as sleep } from "node:timers/promises";
import { atMost, information, type Figure, type Report } from "../figure.js";
import type { Weight } from "../irc/api.js";
import { Setup } from "../irc/setup.js";

const fewPuppets = 50;
const channelsEach = 5;
const membersEach = 200;
/** Puppets that share channels; the others in these are people on IRC. */
const groupSize = 50;
const settleMs = 2_000;
/** How often the few speak: as much as the many will say at once, so that only the puppets make the difference. */
const warmUpTimes = 8;

/** Many more than there are places, so often: what each leaves must not drown in what comes and goes by chance. */
const comeAndGo = 400;
const times = 4;
const channelsToLeave = 40;

interface Weights {
  readonly bridge: Weight;
  readonly holder: Weight;
}

/** What each puppet weighs, bridge and holder together: channels and everybody else in them are there from the start. */
export async function measureMemory(puppets: number, report: Report): Promise<Figure[]> {
  const channels = (puppets / groupSize) * channelsEach;
  const { setup } = await Setup.open("Trestle", { channels, puppets });
  const { world } = setup;
  try {
    await world.call("crowd", { people: membersEach - groupSize });
    await setup.startWeighed();
    const introduce = (from: number, to: number) => world.call("introduce", { from, to, channelsEach, groupSize });
    await introduce(0, fewPuppets);
    await world.call("introduce", { from: 0, to: fewPuppets, channelsEach, groupSize, times: warmUpTimes });
    const few = await weighBoth(setup);
    await introduce(fewPuppets, puppets);
    await world.call("whenSeen", { puppets: puppets * channelsEach, timeoutMs: 60_000 });
    const many = await weighBoth(setup);
    const each = (process: keyof Weights): number =>
      growth(few[process], many[process]) / (puppets - fewPuppets) / 1024;
    report(`irc: ${fewPuppets} puppets ${inWords(few)}; ${puppets} puppets ${inWords(many)}`);
    return [
      information(
        `memory of a connected puppet: bridge, holder`,
        (["bridge", "holder"] as const).map((which) => `${each(which).toFixed(1)} KiB`).join(", "),
      ),
      atMost(
        `memory of a connected puppet in ${channelsEach} channels of ${membersEach}, ${fewPuppets} to ${puppets}`,
        35,
        each("bridge") + each("holder"),
        " KiB",
      ),
    ];
  } finally {
    await setup.close();
  }
}

/**
 * What a puppet leaves behind that was disconnected: again and again the same people speak, more than there are places.
 * What is remembered of messages, within bounds, is told from that by as many messages of people who stay.
 */
export async function measureLeftBehind(report: Report): Promise<Figure> {
  const { setup } = await Setup.open("Trestle", { channels: channelsToLeave, puppets: fewPuppets, letsInAtOnce: true });
  try {
    await setup.startWeighed();
    const speak = (to = comeAndGo, each = 1) =>
      setup.world.call("introduce", { from: 0, to, channelsEach: 1, groupSize: 1, times: each });
    // They are known from then on, with their rooms and names.
    await speak();
    await speak();
    const first = await weighBoth(setup);
    await speak(fewPuppets, (times * comeAndGo) / fewPuppets);
    const before = await weighBoth(setup);
    for (let time = 0; time < times; time++) await speak();
    const after = await weighBoth(setup);
    const said = times * comeAndGo;
    report(
      `irc: ${inWords(first)}; after ${said} messages of those who stay ${inWords(before)}; after as many of those who come and go ${inWords(after)}`,
    );
    const left = (heap(after) - heap(before) - (heap(before) - heap(first))) / said / 1024;
    return atMost("memory that a puppet leaves behind when it is disconnected", 1, left, " KiB", 2);
  } finally {
    await setup.close();
  }
}

async function weighBoth({ bridge, holder }: Setup): Promise<Weights> {
  await sleep(settleMs);
  return { bridge: await bridge.call("weigh", {}), holder: await holder.call("weigh", {}) };
}

/** In bytes. The heap counts where it grew into memory that the process had before. */
function growth(from: Weight, to: Weight): number {
  return Math.max(to.rss - from.rss, to.heap - from.heap);
}

function heap({ bridge, holder }: Weights): number {
  return bridge.heap + holder.heap;
}

function inWords({ bridge, holder }: Weights): string {
  const megabytes = (weight: Weight): string =>
    `${(weight.rss / 1e6).toFixed(1)} MB (heap ${(weight.heap / 1e6).toFixed(1)})`;
  return `bridge ${megabytes(bridge)}, holder ${megabytes(holder)}`;
}
