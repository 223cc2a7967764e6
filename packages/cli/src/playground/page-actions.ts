import { z } from "zod";
import type { Playground } from "./playground.js";

const text = z.string().trim().min(1, "Type something first.").max(4_000, "That is too long for one message.");
const html = z.string().max(16_000).optional();
const id = z.string().min(1).max(255);

const say = z.object({ side: z.enum(["matrix", "irc"]), text, html, emote: z.boolean().default(false) });
const edit = z.object({ id, text, html });
const remove = z.object({ id });
const react = z.object({ id, key: z.string().min(1).max(64) });
const topic = z.object({ side: z.enum(["matrix", "irc"]), topic: z.string().max(300) });
const friend = z.object({ side: z.enum(["matrix", "irc"]), here: z.boolean() });
const nothing = z.object({});

/** What the page can do: `POST /api/<name>`. Rejects with a message for the person at the page. */
export async function act(playground: Playground, action: string, body: unknown): Promise<void> {
  const { matrix, side: network } = playground;
  switch (action) {
    case "say": {
      const { side, text: said, html: formatted, emote } = read(say, body);
      if (side === "irc") await network.say(said, emote);
      else await matrix.say({ text: said, emote, ...(formatted !== undefined && { html: formatted }) });
      return;
    }
    case "edit": {
      const { id: target, text: said, html: formatted } = read(edit, body);
      return matrix.edit(target, { text: said, ...(formatted !== undefined && { html: formatted }) });
    }
    case "remove":
      return matrix.remove(read(remove, body).id);
    case "react": {
      const { id: target, key } = read(react, body);
      return matrix.toggleReaction(target, key);
    }
    case "topic": {
      const { side, topic: words } = read(topic, body);
      if (side === "irc") await network.setTopic?.(words);
      else await matrix.setTopic(words);
      return;
    }
    case "friend": {
      const { side, here } = read(friend, body);
      await (side === "irc" ? network.setFriend?.(here) : matrix.setFriend(here));
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
