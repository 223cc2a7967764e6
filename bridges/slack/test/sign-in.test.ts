import { afterEach, describe, expect, it } from "@jest/globals";
import { until } from "../../../test/support/bounded.js";
import { SlackStage } from "./support/stage.js";

let stage: SlackStage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

/** What the browser shows, and the form on it. */
async function open(url: string): Promise<{ status: number; text: string; submit: () => Promise<Response> }> {
  const page = await fetch(url);
  const text = await page.text();
  const fields = [...text.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]);
  const action = new URL(/action="([^"]+)"/.exec(text)?.[1] ?? "", page.url);
  const body = new URLSearchParams(fields as [string, string][]);
  return { status: page.status, text, submit: () => fetch(action, { method: "POST", body }) };
}

async function linkFor(opened: SlackStage, room: string): Promise<string> {
  const said = await opened.botSays(room, /https?:/);
  return /https?:\S+/.exec(said)?.[0] ?? "";
}

describe("signing in through Slack's page", () => {
  it("asks for user scopes alone, and the browser must confirm for which Matrix user", async () => {
    stage = await SlackStage.open({ oauth: true });
    const { slack, alice } = stage;
    slack.app().decide({ workspace: "acme", person: "bob" });
    const room = await stage.writeToBot(alice, "login");
    const url = new URL(await linkFor(stage, room));
    expect(url.searchParams.get("scope")).toBeNull();
    expect(url.searchParams.get("user_scope")).toContain("chat:write");

    const page = await open(url.href);
    expect(page.status).toBe(200);
    expect(page.text).toContain(alice.userId);
    expect(slack.calls().some(({ method }) => method === "oauth.v2.access")).toBe(false);
    expect((await page.submit()).status).toBe(200);
    await stage.botSays(room, /^Signed in as bob in Acme/);
    expect((await page.submit()).status).toBe(400);
    // Slack's page could be opened once more: the state is used up.
    expect((await open(url.href)).status).toBe(400);

    await alice.sendText(stage.room, "as bob");
    const posted = await stage.saidOnSlack("as bob");
    expect(posted.author).toBe("bob");
  });

  it("signs nobody in without the confirmation of the browser", async () => {
    stage = await SlackStage.open({ oauth: true });
    const room = await stage.writeToBot(stage.alice, "login");
    const url = await linkFor(stage, room);
    await open(url);
    const { origin, searchParams } = new URL(new URL(url).searchParams.get("redirect_uri") ?? "");
    expect(searchParams.size).toBe(0);
    const forged = new URLSearchParams({ state: new URL(url).searchParams.get("state") ?? "", nonce: "" });
    const answer = await fetch(`${origin}/slack/oauth_confirm`, { method: "POST", body: forged });
    expect(answer.status).toBe(400);
    expect(stage.slack.calls().some(({ method }) => method === "oauth.v2.access")).toBe(false);
  });

  it("ends with the login that began it, and when it is declined", async () => {
    stage = await SlackStage.open({ oauth: true });
    const { alice, slack } = stage;
    const room = await stage.writeToBot(alice, "login");
    const first = await linkFor(stage, room);
    await alice.sendText(room, "cancel");
    await stage.botSays(room, /given up/);
    expect((await open(first)).status).toBe(400);

    slack.app().decide({ workspace: "acme", person: "bob", denied: true });
    const other = await stage.writeToBot(alice, "login");
    const declined = await open(await linkFor(stage, other));
    expect(declined.text).toContain("declined");
    await stage.botSays(other, /The login failed: .*declined/);
  });

  it("keeps a token alive that is rotated, over a restart", async () => {
    const apps = [
      {
        name: "Test App",
        tokenRotation: true,
        installations: [{ workspace: "acme", channels: ["general", "random"], botToken: "xoxb-of-the-tests" }],
      },
    ];
    stage = await SlackStage.open({ oauth: true, slack: { clock: "frozen", apps } });
    const { slack, alice } = stage;
    slack.app().decide({ workspace: "acme", person: "bob" });
    const room = await stage.writeToBot(alice, "login");
    await (await open(await linkFor(stage, room))).submit();
    await stage.botSays(room, /^Signed in/);
    slack.clock.advance(13 * 3_600_000);
    await alice.sendText(stage.room, "with a new token");
    expect((await stage.saidOnSlack("with a new token")).author).toBe("bob");
    await stage.stop();
    slack.clock.advance(13 * 3_600_000);
    await stage.start();
    await alice.sendText(stage.room, "after a restart");
    expect((await stage.saidOnSlack("after a restart")).author).toBe("bob");
  });
});

describe("somebody who signed in with a token", () => {
  it("speaks, corrects, reacts and deletes as themselves, and nothing of it comes back", async () => {
    stage = await SlackStage.open();
    const { slack, alice, room } = stage;
    await stage.signIn(alice, "bob");
    const general = slack.workspace("acme").channel("general");
    const event = await alice.sendText(room, "mine");
    const posted = await stage.saidOnSlack("mine");
    expect(posted.author).toBe("bob");
    await alice.send(room, "m.room.message", {
      msgtype: "m.text",
      body: "* mine too",
      "m.new_content": { msgtype: "m.text", body: "mine too" },
      "m.relates_to": { rel_type: "m.replace", event_id: event },
    });
    await stage.saidOnSlack("mine too");
    await alice.send(room, "m.reaction", {
      "m.relates_to": { rel_type: "m.annotation", event_id: event, key: "👍️" },
    });
    const bob = slack.workspace("acme").person("bob");
    await stage.eventually(() => general.message(posted.ts)?.reactions["+1"] !== undefined, "the reaction arrives");
    expect(general.message(posted.ts)?.reactions["+1"]).toEqual([bob.id]);
    await alice.redact(room, event);
    await stage.eventually(() => general.message(posted.ts) === undefined, "the message is taken back");
    slack.workspace("acme").person("alice").post("general", "the end");
    await stage.saidOnMatrix("the end");
    expect(stage.events().filter(({ sender }) => sender.startsWith("@slack_"))).toHaveLength(1);
    expect(stage.events("m.reaction")).toHaveLength(1);
  });

  it("comes into a channel by speaking there; where Slack does not let them in the relay speaks", async () => {
    stage = await SlackStage.open();
    const { slack, alice, homeserver, trestle } = stage;
    const opened = stage;
    await stage.signIn(alice, "bob");
    const acme = slack.workspace("acme");
    const bob = acme.person("bob");
    for (const name of ["attic", "cellar"]) {
      const channel = acme.addChannel(name, { members: ["alice"], private: name === "cellar" });
      slack.app().joinChannel("acme", name);
      const room = await alice.createRoom({ invite: ["@slackbot:slack.test"], preset: "public_chat" });
      await stage.eventually(() => homeserver.room(room).members()["@slackbot:slack.test"] === "join", "the bot");
      await trestle.services.link("slack", room, name, "operator");
      const event = await alice.sendText(room, `hello ${name}`);
      const posted = await until(8_000, "the message", () =>
        channel.messages().find(({ text }) => text === `hello ${name}`),
      );
      const reaction = await alice.react(room, event, "👍️");
      await opened.eventually(() => channel.message(posted.ts)?.reactions["+1"] !== undefined, "the reaction");
      const isIn = name === "attic";
      expect(channel.members.includes(bob.id)).toBe(isIn);
      expect(posted.author === "bob").toBe(isIn);
      expect(channel.texts()).toEqual([`hello ${name}`]);
      await alice.redact(room, reaction);
      await opened.eventually(() => channel.message(posted.ts)?.reactions["+1"] === undefined, "its end");
      await alice.edit(room, event, `bye ${name}`);
      await opened.eventually(() => channel.message(posted.ts)?.text === `bye ${name}`, "the correction");
      await alice.redact(room, event);
      await opened.eventually(() => channel.message(posted.ts) === undefined, "its end");
    }
  });

  it("does not hear of it when Slack tells another process", async () => {
    stage = await SlackStage.open();
    const { slack, alice, room } = stage;
    await stage.signIn(alice, "bob");
    const general = slack.workspace("acme").channel("general");
    const event = await alice.sendText(room, "mine");
    const posted = await stage.saidOnSlack("mine");
    const lost = slack.faults.events({ kind: "lose" });
    await alice.send(room, "m.room.message", {
      msgtype: "m.text",
      body: "* mine too",
      "m.new_content": { msgtype: "m.text", body: "mine too" },
      "m.relates_to": { rel_type: "m.replace", event_id: event },
    });
    await stage.saidOnSlack("mine too");
    await alice.send(room, "m.reaction", {
      "m.relates_to": { rel_type: "m.annotation", event_id: event, key: "👍️" },
    });
    await stage.eventually(() => general.message(posted.ts)?.reactions["+1"] !== undefined, "the reaction arrives");
    lost.lift();
    await stage.stop();
    await stage.start();
    slack.workspace("acme").person("alice").post("general", "the end");
    await stage.saidOnMatrix("the end");
    expect(stage.events().filter(({ sender }) => sender.startsWith("@slack_"))).toHaveLength(1);
    expect(stage.events("m.reaction")).toHaveLength(1);
  });

  it("may change in Slack what was posted for them", async () => {
    stage = await SlackStage.open();
    const { slack, alice, room } = stage;
    await stage.signIn(alice, "bob");
    await alice.sendText(room, "a tpyo");
    const posted = await stage.saidOnSlack("a tpyo");
    const channel = slack.workspace("acme").channel("general").id;
    slack.workspace("acme").person("bob").edit({ channel, ts: posted.ts }, "a typo");
    await stage.eventually(() => stage!.bodies().some((body) => body.includes("a typo")), "the correction arrives");
  });

  it("is the Matrix user who writes what they write in Slack, and whom a mention names", async () => {
    stage = await SlackStage.open({ doublePuppets: true });
    const { slack, alice, room } = stage;
    await stage.signIn(alice, "bob");
    const acme = slack.workspace("acme");
    acme.person("bob").post("general", "typed in Slack");
    expect((await stage.saidOnMatrix("typed in Slack")).sender).toBe(alice.userId);
    acme.person("alice").post("general", `ask <@${acme.person("bob").id}>`);
    await stage.eventually(() => stage!.bodies().some((body) => body.startsWith("ask ")), "the mention arrives");
    const asked = stage.events().find(({ content }) => String(content["body"]).startsWith("ask "));
    expect(asked?.content["m.mentions"]).toEqual({ user_ids: [alice.userId] });

    const carol = stage.homeserver.createClient("carol");
    await alice.invite(room, carol.userId);
    await carol.join(room);
    await carol.send(room, "m.room.message", {
      msgtype: "m.text",
      body: "you, alice",
      format: "org.matrix.custom.html",
      formatted_body: `you, <a href="https://matrix.to/#/${alice.userId}">alice</a>`,
      "m.mentions": { user_ids: [alice.userId] },
    });
    await stage.saidOnSlack(`you, <@${acme.person("bob").id}>`);
  });

  it("may delete through the bridge what the relay posted, and the relay what they posted", async () => {
    stage = await SlackStage.open();
    const { slack, alice, room } = stage;
    const general = slack.workspace("acme").channel("general");
    const relayed = await alice.sendText(room, "relayed");
    await stage.saidOnSlack("relayed");
    await stage.signIn(alice, "bob");
    await alice.redact(room, relayed);
    await stage.eventually(() => !general.texts().includes("relayed"), "what the relay posted is gone");

    const carol = stage.homeserver.createClient("carol");
    await alice.invite(room, carol.userId);
    await carol.join(room);
    const mine = await alice.sendText(room, "mine");
    await stage.saidOnSlack("mine");
    await alice.setPower(room, carol.userId, 50);
    await carol.redact(room, mine);
    await stage.eventually(() => !general.texts().includes("mine"), "what was posted as bob is gone");
  });

  it("is signed out, and the token with them", async () => {
    stage = await SlackStage.open();
    const { slack, alice, room } = stage;
    const direct = await stage.signIn(alice, "bob");
    await alice.sendText(direct, "logout");
    await stage.botSays(direct, /^Signed out/);
    expect(slack.calls().filter(({ method }) => method === "auth.revoke")).toHaveLength(1);
    await alice.sendText(room, "through the relay");
    expect((await stage.saidOnSlack("through the relay")).author).toBe("alice");
  });

  it("is told when Slack ends the sign-in, and the relay speaks", async () => {
    stage = await SlackStage.open();
    const { slack, alice, room } = stage;
    const direct = await stage.signIn(alice, "bob");
    slack.app().revoke(slack.app().userToken("acme", "bob"));
    await stage.botSays(direct, /^You are no longer signed in as bob in Acme: .*token_revoked/);
    const { bridges } = await stage.trestle.services.status();
    expect(bridges[0]?.connections.some(({ state, detail }) => state === "failed" && detail?.includes("login"))).toBe(
      true,
    );
    await alice.sendText(room, "through the relay");
    expect((await stage.saidOnSlack("through the relay")).author).toBe("alice");
  });

  it("cannot be somebody as whom another is signed in, nor a bot", async () => {
    stage = await SlackStage.open();
    const { slack, alice, homeserver } = stage;
    await stage.signIn(alice, "bob");
    const carol = homeserver.createClient("carol");
    const room = await stage.writeToBot(carol, "login");
    await stage.botSays(room, /user token/);
    await carol.sendText(room, slack.app().userToken("acme", "bob"));
    await stage.botSays(room, /The login failed: Somebody else/);
    const second = await stage.writeToBot(carol, "login");
    await stage.botSays(second, /user token/);
    await carol.sendText(second, slack.app().botToken());
    await stage.botSays(second, /The login failed: This is no user token/);
  });
});
