import { afterAll, beforeAll, expect, it, jest } from "@jest/globals";
import type { Locator, Page } from "playwright-core";
import { patiently, until } from "./support/bounded.js";
import { PlaygroundPage, SOON } from "./support/playground-page.js";
import { realServer } from "./support/servers/index.js";

const server = await realServer("chromium");

server.describe("the playground for Slack in a browser", (install) => {
  jest.setTimeout(180_000);

  let playground: PlaygroundPage;
  let page: Page;
  let matrix: Locator;
  let slack: Locator;
  let bridge: Locator;

  beforeAll(async () => {
    playground = await PlaygroundPage.open(install, "slack");
    ({ page, matrix, network: slack, bridge } = playground);
  });

  afterAll(async () => {
    await playground.close();
  });

  const message = (side: Locator, text: string): Locator => side.locator(".message:not(.in-thread)", { hasText: text });
  const answer = (side: Locator, text: string): Locator => side.locator(".message.in-thread", { hasText: text });
  const reaction = (side: Locator, text: string, shown: string): Locator =>
    message(side, text).locator(".reactions .reaction", { hasText: shown });

  async function type(side: Locator, text: string): Promise<void> {
    await playground.type(
      side === matrix ? "Message to the Matrix room" : "Message to the Slack channel, as bob",
      text,
    );
  }

  async function press(side: Locator, text: string, button: string): Promise<void> {
    await message(side, text).hover();
    await message(side, text).getByRole("button", { name: button }).click();
  }

  it("speaks of Slack, and says how to go on to a workspace of one's own", async () => {
    await slack.getByRole("heading", { name: "Slack #trestle" }).waitFor();
    await slack.getByText("bob").first().waitFor();
    expect(playground.output).toContain("a Matrix room and a Slack channel");
    expect(playground.output).toContain("npx trestle init --bridge slack");
    expect(playground.output).toContain("bridges/slack/manifest.yaml");
    const body = await page.locator("body").innerText();
    expect(body).toContain("npx trestle init --bridge slack");
    expect(body).not.toContain("IRC");
    await playground.picture("slack-start", { fullPage: true });
  });

  it("carries what is typed, with its formatting, either way", async () => {
    await type(matrix, "Hello from **Matrix** & <!channel>");
    const onSlack = message(slack, "Hello from Matrix & <!channel>");
    await onSlack.getByText("from Matrix", { exact: true }).waitFor();
    expect(await onSlack.locator("strong").innerText()).toBe("Matrix");
    expect(await onSlack.locator(".name").innerText()).toBe("alice");
    await type(slack, "Hello from *Slack* :tada: <b>");
    const onMatrix = message(matrix, "Hello from Slack 🎉 <b>");
    await onMatrix.getByText("from Slack", { exact: true }).waitFor();
    expect(await onMatrix.locator("strong").innerText()).toBe("Slack");
    expect(await onMatrix.locator(".name").innerText()).toBe("bob");
    await type(slack, "/me waves");
    await message(matrix, "waves").and(page.locator(".is-emote")).waitFor();
  });

  it("carries what a client of Slack's Web API posts", async () => {
    const command = await page.locator("[data-access=network]").innerText();
    const [, url = "", token = "", channel = ""] =
      /^curl (\S+) -H 'authorization: Bearer (\S+)' -d channel=(\S+) -d text=hello$/.exec(command) ?? [];
    const posted = await fetch(url, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: new URLSearchParams({ channel, text: "hello from a terminal" }),
    });
    expect(await posted.json()).toMatchObject({ ok: true });
    await message(matrix, "hello from a terminal").waitFor();
    expect(await message(matrix, "hello from a terminal").locator(".name").innerText()).toBe("eve");
  });

  it("carries corrections either way", async () => {
    for (const [here, there, name] of [
      [matrix, slack, "Matrix"],
      [slack, matrix, "Slack"],
    ] as const) {
      await type(here, `A mistke on ${name}`);
      await message(there, `A mistke on ${name}`).waitFor();
      await press(here, `A mistke on ${name}`, "Edit");
      await here.getByText("Editing your message").waitFor();
      await type(here, `A mistake on ${name}`);
      await message(there, `A mistake on ${name}`).getByText("edited").waitFor();
      await message(there, `A mistke on ${name}`).waitFor({ state: "detached" });
    }
  });

  it("carries answers in a thread either way", async () => {
    await press(slack, "Hello from Matrix", "Reply");
    await slack.getByText("Replying in the thread of alice").waitFor();
    await type(slack, "A thread from Slack");
    await answer(matrix, "A thread from Slack").getByText("↳ alice: Hello from").waitFor();
    await press(matrix, "Hello from Slack", "Reply");
    await type(matrix, "A thread from Matrix");
    await answer(slack, "A thread from Matrix").getByText("↳ bob: Hello from").waitFor();
    expect(await message(slack, "A thread from Matrix").count()).toBe(0);
  });

  it("carries reactions either way, and takes them back", async () => {
    await press(matrix, "Hello from Slack", "React with 👍");
    await reaction(slack, "Hello from Slack", "👍").waitFor();
    await press(slack, "Hello from Slack", "React with 👍");
    await reaction(matrix, "Hello from Slack", "👍 2")
      .or(reaction(matrix, "Hello from Slack", "👍️ 2"))
      .waitFor();
    await press(slack, "Hello from Matrix", "React with 🎉");
    await reaction(matrix, "Hello from Matrix", "🎉 1").waitFor();
    await playground.picture("slack-reactions");
    await reaction(matrix, "Hello from Slack", "👍").click();
    await reaction(slack, "Hello from Slack", "👍").filter({ hasText: "1" }).waitFor();
    await reaction(slack, "Hello from Slack", "👍").click();
    await reaction(matrix, "Hello from Slack", "👍").waitFor({ state: "detached" });
    await reaction(slack, "Hello from Slack", "👍").waitFor({ state: "detached" });
  });

  it("carries deletions either way", async () => {
    for (const [here, there, name] of [
      [matrix, slack, "Matrix"],
      [slack, matrix, "Slack"],
    ] as const) {
      await type(here, `To be deleted on ${name}`);
      await message(there, `To be deleted on ${name}`).waitFor();
      await press(here, `To be deleted on ${name}`, "Delete");
      await message(there, `To be deleted on ${name}`).waitFor({ state: "detached" });
      await message(here, `To be deleted on ${name}`).waitFor({ state: "detached" });
    }
  });

  it("shows who comes and goes, and carries topics", async () => {
    await slack.getByRole("button", { name: "Let dave join" }).click();
    await matrix.locator(".happening", { hasText: "dave joined" }).waitFor();
    await slack.getByRole("button", { name: "Let dave leave" }).click();
    await matrix.locator(".happening", { hasText: "dave left" }).waitFor();
    await setTopic(slack, "Set on Slack");
    await matrix.locator(".topic", { hasText: "Set on Slack" }).waitFor();
    await slack.locator(".happening", { hasText: "bob set the channel topic: Set on Slack" }).waitFor();
    await setTopic(matrix, "Set on Matrix");
    await slack.locator(".topic", { hasText: "Set on Matrix" }).waitFor();
    await playground.picture("slack-talk");
  });

  async function setTopic(side: Locator, topic: string): Promise<void> {
    await side.getByRole("button", { name: "Change the topic" }).click();
    await side.getByLabel("Topic", { exact: true }).fill(topic);
    await side.getByLabel("Topic", { exact: true }).press("Enter");
  }

  it("loses, repeats and reorders nothing when the bridge is killed in the middle", async () => {
    await bridge.getByRole("button", { name: "Send 30 messages each way" }).click();
    const arrived = bridge.locator("[data-tally=arrived] [data-direction=toNetwork]");
    await until(SOON, "some messages to arrive", async () =>
      Number.parseInt(await arrived.innerText(), 10) > 5 ? true : undefined,
    );
    await bridge.getByRole("button", { name: "Kill the bridge" }).click();
    await bridge.getByText("ended by SIGKILL").waitFor();
    await playground.picture("slack-killed");
    await bridge
      .getByText("nothing lost, nothing twice, nothing out of order")
      .waitFor({ timeout: patiently(120_000) });
    await playground.picture("slack-delivered");
    expect(await bridge.locator("[data-count=dead]").allInnerTexts()).toEqual(["0", "0"]);
    expect(playground.complaints).toEqual([]);
  });

  it("stops at Ctrl-C", async () => {
    expect(await playground.interrupt()).toBe("exited with 0");
  });
});
