import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it, jest } from "@jest/globals";
import { type Browser, chromium, type Locator, type Page } from "playwright-core";
import { patiently, until } from "./support/bounded.js";
import { Child } from "./support/servers/child.js";
import { realServers } from "./support/servers/index.js";

const COMMAND = fileURLToPath(new URL("../packages/cli/bin/trestle.js", import.meta.url));
const PICTURES = join(tmpdir(), "trestle-playground-pictures");
const SOON = 30_000;

const servers = await realServers("chromium", "prosody");

servers.describe("the playground for XMPP in a browser", (installs) => {
  jest.setTimeout(120_000);

  let playground: Child;
  let browser: Browser;
  let page: Page;
  let matrix: Locator;
  let network: Locator;
  let bridge: Locator;
  const complaints: string[] = [];

  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    playground = await Child.start("the playground", COMMAND, ["start", "xmpp"], {
      env: { NO_COLOR: "1" },
    });
    const url = await until(
      SOON,
      "the playground's address",
      () => (playground.running ? /Open (\S+)/.exec(playground.output)?.[1] : "it ended"),
      () => playground.output,
    );
    if (!playground.running) throw new Error(`The playground ended: ${playground.output}`);
    const { executable, args } = installs.chromium;
    browser = await chromium.launch({
      executablePath: executable,
      args: [...args],
      timeout: patiently(30_000),
    });
    page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: "light" });
    page.setDefaultTimeout(patiently(SOON));
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    await page.goto(url);
    [matrix, network, bridge] = [page.locator("#matrix"), page.locator("#network"), page.locator("#bridge")];
    await bridge.getByText("Running").waitFor();
  });

  afterAll(async () => {
    await browser.close();
    await playground.stop(40_000);
  });

  async function type(side: "matrix" | "network", text: string): Promise<void> {
    const box = page.getByLabel(side === "matrix" ? "Message to the Matrix room" : "Message to the XMPP room, as bob");
    await box.fill(text);
    await box.press("Enter");
  }

  const message = (side: Locator, text: string): Locator => side.locator(".message", { hasText: text });

  it("speaks of XMPP, and says how to join in with its own tools", async () => {
    await network.getByRole("heading", { name: "XMPP trestle@rooms.localhost" }).waitFor();
    expect(await page.locator("[data-access=network]").innerText()).toMatch(
      /^profanity: \/connect visitor@localhost server 127\.0\.0\.1 port \d+ tls disable\nprofanity: \/join trestle@rooms\.localhost/,
    );
    expect(playground.output).toContain("a Matrix room and an XMPP room");
    expect(await page.locator("body").innerText()).not.toContain("IRC");
  });

  it("carries messages and the topic either way", async () => {
    await type("matrix", "Hello from Matrix");
    await message(network, "Hello from Matrix").getByText("from Matrix", { exact: true }).waitFor();
    await type("network", "Hello from XMPP");
    await message(matrix, "Hello from XMPP").getByText("from XMPP", { exact: true }).waitFor();
    await network.getByRole("button", { name: "Change the topic" }).click();
    await network.getByLabel("Topic", { exact: true }).fill("Set on XMPP");
    await network.getByLabel("Topic", { exact: true }).press("Enter");
    await matrix.locator(".topic", { hasText: "Set on XMPP" }).waitFor();
    await page.screenshot({ path: join(PICTURES, "xmpp.png") });
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
    expect(complaints).toEqual([]);
  });

  it("stops at Ctrl-C", async () => {
    process.kill(playground.pid ?? 0, "SIGINT");
    await until(40_000, "the playground to end", () => (playground.running ? undefined : true));
    expect(playground.ended).toBe("exited with 0");
  });
});
