import { afterAll, beforeAll, expect, it, jest } from "@jest/globals";
import type { Locator, Page } from "playwright-core";
import { patiently, until } from "./support/bounded.js";
import { PlaygroundPage, SOON } from "./support/playground-page.js";
import { realServers } from "./support/servers/index.js";

const servers = await realServers("chromium", "mosquitto");

servers.describe("the playground for MQTT in a browser", (installs) => {
  jest.setTimeout(120_000);

  let playground: PlaygroundPage;
  let page: Page;
  let matrix: Locator;
  let network: Locator;
  let bridge: Locator;

  beforeAll(async () => {
    playground = await PlaygroundPage.open(installs.chromium, "mqtt");
    ({ page, matrix, network, bridge } = playground);
  });

  afterAll(async () => {
    await playground.close();
  });

  async function type(side: "matrix" | "network", text: string): Promise<void> {
    await playground.type(side === "matrix" ? "Message to the Matrix room" : "Message to the MQTT topic, as bob", text);
  }

  const message = (side: Locator, text: string): Locator => side.locator(".message", { hasText: text });

  it("speaks of MQTT, and says how to join in with its own tools", async () => {
    await network.getByRole("heading", { name: "MQTT chat/trestle" }).waitFor();
    expect(await page.locator("[data-access=network]").innerText()).toMatch(
      /^mosquitto_sub -h 127\.0\.0\.1 -p \d+ -t chat\/trestle -q 1\nmosquitto_pub /,
    );
    expect(playground.output).toContain("a Matrix room and an MQTT topic");
    expect(await page.locator("body").innerText()).not.toContain("IRC");
  });

  it("carries messages and the topic either way", async () => {
    await type("matrix", "Hello from Matrix");
    await message(network, "Hello from Matrix").getByText("from Matrix", { exact: true }).waitFor();
    await type("network", "Hello from MQTT");
    await message(matrix, "Hello from MQTT").getByText("from MQTT", { exact: true }).waitFor();
    await network.getByRole("button", { name: "Change the topic" }).click();
    await network.getByLabel("Topic", { exact: true }).fill("Set on MQTT");
    await network.getByLabel("Topic", { exact: true }).press("Enter");
    await matrix.locator(".topic", { hasText: "Set on MQTT" }).waitFor();
    await playground.picture("mqtt");
  });

  it("loses, repeats and reorders nothing when the bridge is killed in the middle of 400 messages", async () => {
    await bridge.getByRole("button", { name: "Send 200 messages each way" }).click();
    const arrived = bridge.locator("[data-tally=arrived] [data-direction=toNetwork]");
    await until(SOON, "some messages to arrive", async () =>
      Number.parseInt(await arrived.innerText(), 10) > 20 ? true : undefined,
    );
    await bridge.getByRole("button", { name: "Kill the bridge" }).click();
    await bridge.getByText("nothing lost, nothing twice, nothing out of order").waitFor({ timeout: patiently(60_000) });
    expect(await bridge.locator("[data-count=dead]").allInnerTexts()).toEqual(["0", "0"]);
    expect(playground.complaints).toEqual([]);
  });

  it("stops at Ctrl-C", async () => {
    expect(await playground.interrupt()).toBe("exited with 0");
  });
});
