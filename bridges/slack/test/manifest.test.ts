import { readFile } from "node:fs/promises";
import { afterEach, describe, expect, it } from "@jest/globals";
import { load } from "js-yaml";
import { z } from "zod";
import { scopesFor } from "../../../packages/slack-emulator/dist/events/subscriptions.js";
import { botScopes, userScopes } from "../dist/config.js";
import { outcomeOf } from "../dist/content/index.js";
import { SlackStage } from "./support/stage.js";

const schema = z.object({
  features: z.object({ slash_commands: z.array(z.looseObject({ command: z.string() })) }),
  oauth_config: z.object({ scopes: z.object({ bot: z.array(z.string()), user: z.array(z.string()) }) }),
  settings: z.object({
    event_subscriptions: z.object({ bot_events: z.array(z.string()), user_events: z.array(z.string()) }),
    socket_mode_enabled: z.boolean(),
    token_rotation_enabled: z.boolean(),
  }),
});
const text = await readFile(new URL("../manifest.yaml", import.meta.url), "utf8");
const { features, oauth_config: oauth, settings } = schema.parse(load(text));
const { bot_events: botEvents, user_events: userEvents } = settings.event_subscriptions;

describe("the app's manifest", () => {
  it("asks for the scopes that the bridge asks for", () => {
    expect(oauth.scopes.bot).toEqual([...botScopes]);
    expect(oauth.scopes.user).toEqual([...userScopes]);
  });

  it.each([...new Set([...botEvents, ...userEvents])])("subscribes to %s, which the bridge knows", (name) => {
    const type = name.startsWith("message.") ? "message" : name;
    expect(outcomeOf({ type }).outcome).not.toBe("unknown");
  });

  it.each([
    ["bot", botEvents, oauth.scopes.bot],
    ["people", userEvents, oauth.scopes.user],
  ] as const)("has a scope for every event of the %s", (_, events, scopes) => {
    const without = events.filter((name) => {
      const needed = scopesFor(name);
      return needed.length > 0 && !needed.some((scope) => scopes.includes(scope));
    });
    expect(without).toEqual([]);
  });

  it("needs no public address, and keeps tokens as they are", () => {
    expect(settings.socket_mode_enabled).toBe(true);
    expect(settings.token_rotation_enabled).toBe(false);
    expect(features.slash_commands.map(({ command }) => command)).toEqual(["/matrix"]);
  });
});

describe("an app made from the manifest", () => {
  let stage: SlackStage | undefined;
  afterEach(async () => {
    await stage?.close();
    stage = undefined;
  });

  it("is given every event that a linked channel needs", async () => {
    stage = await SlackStage.open({
      slack: {
        apps: [
          {
            name: "Matrix",
            botScopes: oauth.scopes.bot,
            userScopes: oauth.scopes.user,
            botEvents,
            userEvents,
            commands: features.slash_commands.map(({ command }) => command),
            installations: [{ workspace: "acme" }],
          },
        ],
      },
    });
    const { slack, alice, room } = stage;
    const acme = slack.workspace("acme");
    const bob = acme.person("bob");
    const said = bob.post("general", "hello");
    const { event_id: arrived } = await stage.saidOnMatrix("hello");
    bob.reply(said, "in the thread");
    await stage.saidOnMatrix("in the thread");
    bob.edit(said, "hello all");
    await stage.saidOnMatrix("* hello all");
    bob.react(said, "tada");
    await stage.eventually(() => stage!.events("m.reaction").length === 1, "the reaction arrives");
    bob.setTopic("general", "about us");
    await stage.eventually(
      () => stage!.events("m.room.topic").some(({ content }) => content["topic"] === "about us"),
      "the topic arrives",
    );
    bob.leave("general");
    const bobsGhost = stage.events().find(({ event_id }) => event_id === arrived)?.sender ?? "";
    await stage.eventually(
      () =>
        stage!
          .events("m.room.member")
          .some(({ sender, content }) => sender === bobsGhost && content["membership"] === "leave"),
      "bob leaves the room",
    );
    await alice.sendText(room, "hello from Matrix");
    await stage.saidOnSlack("hello from Matrix");
    expect(slack.calls().filter(({ answer }) => JSON.stringify(answer).includes("missing_scope"))).toEqual([]);
  });
});
