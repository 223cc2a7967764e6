import { z } from "zod";
import type { Playground } from "./playground.js";

const text = z.string().trim().min(1, "Type something first.").max(4_000, "That is too long for one message.");
const html = z.string().max(16_000).optional();
const id = z.string().min(1).max(255);

const side = z.enum(["matrix", "network"]);

const say = z.object({ side, text, html, emote: z.boolean().default(false), thread: id.optional() });
const edit = z.object({ side, id, text, html });
const remove = z.object({ side, id });
const react = z.object({ side, id, key: z.string().min(1).max(64) });
const topic = z.object({ side, topic: z.string().max(300) });
const friend = z.object({ side, here: z.boolean() });
const nothing = z.object({});

/** What the page can do: `POST /api/<name>`. Rejects with a message for the person at the page. */
export async function act(playground: Playground, action: string, body: unknown): Promise<void> {
  const { matrix, side: network } = playground;
  switch (action) {
    case "say": {
      const { side, text: said, html: formatted, emote, thread } = read(say, body);
      const options = { emote, ...(thread !== undefined && { thread }) };
      if (side === "network") await network.say(said, options);
      else await matrix.say({ text: said, ...options, ...(formatted !== undefined && { html: formatted }) });
      return;
    }
    case "edit": {
      const { side: where, id: target, text: said, html: formatted } = read(edit, body);
      if (where === "network") await network.edit?.(target, said);
      else await matrix.edit(target, { text: said, ...(formatted !== undefined && { html: formatted }) });
      return;
    }
    case "remove": {
      const { side: where, id: target } = read(remove, body);
      if (where === "network") await network.remove?.(target);
      else await matrix.remove(target);
      return;
    }
    case "react": {
      const { side: where, id: target, key } = read(react, body);
      if (where === "network") await network.toggleReaction?.(target, key);
      else await matrix.toggleReaction(target, key);
      return;
    }
    case "topic": {
      const { side, topic: words } = read(topic, body);
      if (side === "network") await network.setTopic?.(words);
      else await matrix.setTopic(words);
      return;
    }
    case "friend": {
      const { side, here } = read(friend, body);
      await (side === "network" ? network.setFriend?.(here) : matrix.setFriend(here));
      return;
    }
    case "run":
      read(nothing, body);
      playground.startRun();
      return;
    case "kill":
      read(nothing, body);
      playground.killBridge();
      return;
    default:
      throw new Error(`The page cannot do "${action}".`);
  }
}

function read<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new Error(parsed.error.issues.map(({ message }) => message).join(" "));
  return parsed.data;
}
