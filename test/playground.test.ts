import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, jest } from "@jest/globals";
import type { Locator, Page } from "playwright-core";
import { patiently, until } from "./support/bounded.js";
import { PlaygroundPage, SOON } from "./support/playground-page.js";
import { realServer } from "./support/servers/index.js";

const server = await realServer("chromium");

/** Processes whose temporary files are in a directory, where the system tells. */
async function processesOf(temporary: string): Promise<string[]> {
  const found: string[] = [];
  for (const id of await readdir("/proc").catch(() => [])) {
    const environment = await readFile(join("/proc", id, "environ"), "utf8").catch(() => "");
    if (environment.split("\0").includes(`TMPDIR=${temporary}`)) found.push(id);
  }
  return found;
}

server.describe("the playground in a browser", (install) => {
  jest.setTimeout(120_000);

  let temporary: string;
  let playground: PlaygroundPage;
  let page: Page;
  let matrix: Locator;
  let irc: Locator;
  let bridge: Locator;

  beforeAll(async () => {
    // Its own: another playground may run beside it.
    temporary = await mkdtemp(join(tmpdir(), "trestle-test-"));
    playground = await PlaygroundPage.open(install, undefined, { TMPDIR: temporary });
    ({ page, matrix, network: irc, bridge } = playground);
  });

  afterAll(async () => {
    await playground.close();
    await rm(temporary, { recursive: true, force: true });
  });

  async function type(side: "matrix" | "irc", text: string): Promise<void> {
    await playground.type(side === "matrix" ? "Message to the Matrix room" : "Message to the IRC channel", text);
  }

  const message = (side: Locator, text: string): Locator => side.locator(".message", { hasText: text });

  it("says what one sees, and how to go on", async () => {
    await page.getByRole("heading", { name: "Trestle playground" }).waitFor();
    await matrix.getByRole("heading", { name: "#trestle:playground.localhost" }).waitFor();
    await irc.getByRole("heading", { name: "#trestle" }).waitFor();
    expect(await page.locator("[data-access=network]").innerText()).toMatch(
      /^\/connect 127\.0\.0\.1 \d+\n\/join #trestle$/,
    );
    expect(await page.locator("[data-access=matrix]").innerText()).toMatch(/http:\/\/127\.0\.0\.1:\d+/);
    expect(playground.output).toContain("npx trestle init");
    expect(playground.output).toMatch(/\/connect 127\.0\.0\.1 \d+ +then +\/join #trestle/);
    await playground.picture("1-start");
  });

  it("carries what is typed, with its formatting, either way", async () => {
    await type("matrix", "Hello from **Matrix**");
    const onIrc = message(irc, "Hello from Matrix");
    await onIrc.waitFor();
    expect(await onIrc.locator("b").innerText()).toBe("Matrix");
    expect(await onIrc.innerText()).toContain("from Matrix");
    await type("irc", "Hello from **IRC**");
    const onMatrix = message(matrix, "Hello from IRC");
    await onMatrix.waitFor();
    expect(await onMatrix.locator("b, strong").innerText()).toBe("IRC");
    await type("irc", "/me waves");
    await message(matrix, "waves").and(page.locator(".is-emote")).waitFor();
    await type("matrix", "/me waves back");
    await message(irc, "waves back").and(page.locator(".is-emote")).waitFor();
  });

  it("shows no markup that somebody types", async () => {
    await type("irc", "<img src=x onerror=alert(1)> & <b>not bold</b>");
    const onMatrix = message(matrix, "<img src=x onerror=alert(1)> & <b>not bold</b>");
    await onMatrix.waitFor();
    expect(await onMatrix.locator("img, b").count()).toBe(0);
  });

  it("edits one's own message by a click on it", async () => {
    await type("matrix", "A mistke");
    await message(irc, "A mistke").waitFor();
    await message(matrix, "A mistke").locator(".editable").click();
    await matrix.getByText("Editing your message").waitFor();
    await type("matrix", "A mistake");
    await message(matrix, "A mistake").getByText("edited").waitFor();
    await message(irc, "A mistake").waitFor();
    expect(await matrix.getByText("Editing your message").isVisible()).toBe(false);
  });

  const reactionOn = (side: Locator, text: string, shown: string): Locator =>
    message(side, text).locator(".reactions .reaction", { hasText: shown });

  async function pressOn(side: Locator, text: string, button: string): Promise<void> {
    await message(side, text).hover();
    await message(side, text).getByRole("button", { name: button }).click();
  }

  it("carries reactions either way, and takes them back", async () => {
    await pressOn(matrix, "Hello from IRC", "React with 👍");
    await reactionOn(irc, "Hello from IRC", "👍 1").waitFor();
    await pressOn(irc, "Hello from IRC", "React with 👍");
    await reactionOn(matrix, "Hello from IRC", "👍 2").waitFor();
    await pressOn(irc, "Hello from Matrix", "React with 🎉");
    await reactionOn(matrix, "Hello from Matrix", "🎉 1").waitFor();
    expect(await reactionOn(matrix, "Hello from Matrix", "🎉 1").getAttribute("aria-pressed")).toBe("false");
    expect(await reactionOn(irc, "Hello from Matrix", "🎉 1").getAttribute("aria-pressed")).toBe("true");
    await playground.picture("2-reactions");
    await reactionOn(matrix, "Hello from IRC", "👍 2").click();
    await reactionOn(irc, "Hello from IRC", "👍 1").waitFor();
    await reactionOn(irc, "Hello from IRC", "👍 1").click();
    await reactionOn(matrix, "Hello from IRC", "👍").waitFor({ state: "detached" });
    expect(await reactionOn(irc, "Hello from IRC", "👍").count()).toBe(0);
  });

  it("carries deletions either way", async () => {
    for (const [here, there, name] of [
      [matrix, irc, "matrix"],
      [irc, matrix, "irc"],
    ] as const) {
      const text = `To be deleted on ${name}`;
      await type(name, text);
      await message(there, text).waitFor();
      const deleted = await there.locator(".deleted").count();
      await pressOn(here, text, "Delete");
      await message(there, text).waitFor({ state: "detached" });
      await message(here, text).waitFor({ state: "detached" });
      expect(await there.locator(".deleted").count()).toBe(deleted + 1);
    }
  });

  it("shows who comes and goes, and carries topics", async () => {
    await irc.getByRole("button", { name: "Let dave join" }).click();
    await matrix.locator(".happening", { hasText: "dave joined" }).waitFor();
    await irc.getByRole("button", { name: "Let dave leave" }).click();
    await matrix.locator(".happening", { hasText: "dave left" }).waitFor();
    await matrix.getByRole("button", { name: "Let carol join" }).click();
    await matrix.getByRole("button", { name: "Let carol leave" }).click();
    await matrix.locator(".happening", { hasText: "carol left" }).waitFor();
    await setTopic(irc, "Set on IRC");
    await matrix.locator(".topic", { hasText: "Set on IRC" }).waitFor();
    await setTopic(matrix, "Set on Matrix");
    await irc.locator(".topic", { hasText: "Set on Matrix" }).waitFor();
    await playground.picture("3-talk");
  });

  async function setTopic(side: Locator, topic: string): Promise<void> {
    await side.getByRole("button", { name: "Change the topic" }).click();
    await side.getByLabel("Topic").fill(topic);
    await side.getByLabel("Topic").press("Enter");
  }

  it("loses, repeats and reorders nothing when the bridge is killed in the middle of 400 messages", async () => {
    const send = bridge.getByRole("button", { name: "Send 200 messages each way" });
    await killInTheMiddle();
    await send.click();
    await until(SOON, "what was sent to wait for the bridge", async () => {
      const seen: unknown = await page.evaluate("window.verdicts");
      return (Array.isArray(seen) && seen.some((each) => String(each).includes("waits for it"))) || undefined;
    });
    await playground.picture("4-killed");
    await bridge.getByText("killed once").waitFor({ timeout: patiently(60_000) });
    await bridge.getByText("nothing lost, nothing twice, nothing out of order").waitFor({ timeout: patiently(60_000) });
    await playground.picture("5-delivered");
    for (const direction of ["toNetwork", "toMatrix"]) {
      expect(await tally(direction)).toEqual({ sent: "200", arrived: "200/200", duplicated: "0", outOfOrder: "0" });
    }
    expect(await bridge.locator("[data-count=dead]").allInnerTexts()).toEqual(["0", "0"]);
    await until(SOON, "the button to send once more", async () => ((await send.isEnabled()) ? true : undefined));
  });

  /** The page itself presses the button when some have arrived, and keeps what it says: nobody else is in time on a busy machine. */
  async function killInTheMiddle(): Promise<void> {
    await page.evaluate(`{
      const root = document.getElementById("bridge");
      const button = root.querySelector("[data-part=kill]");
      const arrived = root.querySelector("[data-tally=arrived] [data-direction=toNetwork]");
      const verdict = root.querySelector("[data-part=verdict]");
      let isPressed = false;
      window.verdicts = [];
      new MutationObserver(() => {
        window.verdicts.push(verdict.textContent);
        if (isPressed || !(Number.parseInt(arrived.textContent, 10) > 20)) return;
        isPressed = true;
        button.click();
      }).observe(root, { childList: true, characterData: true, subtree: true });
    }`);
  }

  async function tally(direction: string): Promise<Record<string, string>> {
    const counts: Record<string, string> = {};
    for (const name of ["sent", "arrived", "duplicated", "outOfOrder"]) {
      counts[name] = await bridge.locator(`[data-tally=${name}] [data-direction=${direction}]`).innerText();
    }
    return counts;
  }

  it("shows the same to a page that is opened later, in the dark and on a small screen", async () => {
    const context = await playground.browser.newContext({ viewport: { width: 390, height: 844 }, colorScheme: "dark" });
    context.setDefaultTimeout(patiently(SOON));
    const later = await context.newPage();
    await later.goto(playground.url);
    await later.locator("#matrix .message", { hasText: "No. 200 of 200 from IRC" }).waitFor();
    await later.locator("#network .message", { hasText: "No. 200 of 200 from Matrix" }).waitFor();
    await later.getByText("nothing lost, nothing twice, nothing out of order").waitFor();
    const widths = await later.evaluate("[document.documentElement.scrollWidth, window.innerWidth]");
    expect(widths).toEqual([390, 390]);
    await playground.picture("6-small-dark", { fullPage: true, of: later });
    await context.close();
  });

  it("refuses other sites, and says why it cannot do something", async () => {
    const post = (action: string, headers: Record<string, string>, body = "{}"): Promise<Response> =>
      fetch(`${playground.url}/api/${action}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body,
      });
    expect((await post("kill", { origin: "https://evil.example" })).status).toBe(403);
    expect((await post("kill", { "content-type": "text/plain" })).status).toBe(400);
    expect((await post("nonsense", {})).status).toBe(400);
    expect(await (await post("say", {}, '{"side":"network","text":" "}')).json()).toEqual({
      message: "Type something first.",
    });
    expect((await fetch(`${playground.url}/../package.json`)).status).toBe(404);
  });

  it("stops at Ctrl-C with everything it started, and leaves no file", async () => {
    expect(playground.complaints).toEqual([]);
    if (process.platform === "linux") expect(await processesOf(temporary)).not.toEqual([]);
    expect(await playground.interrupt()).toBe("exited with 0");
    await page.getByText("The playground has stopped").waitFor();
    expect(await readdir(temporary)).toEqual([]);
    expect(await processesOf(temporary)).toEqual([]);
  });
});
