import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Locator, type Page } from "playwright-core";
import { patiently, until } from "./bounded.js";
import { Child } from "./servers/child.js";
import type { ChromiumInstall } from "./servers/chromium.js";

const COMMAND = fileURLToPath(new URL("../../packages/cli/bin/trestle.js", import.meta.url));
/** Pictures of the page, for people; overwritten by every run. */
const PICTURES = join(tmpdir(), "trestle-playground-pictures");
/** An expectation about the page, in milliseconds. */
export const SOON = 30_000;
/** How long the playground may take to end, in milliseconds. */
const ENDS_WITHIN = 40_000;

/** A playground of its own and its page in a browser. */
export class PlaygroundPage {
  readonly matrix: Locator;
  readonly network: Locator;
  readonly bridge: Locator;
  /** What the page's scripts complained about. */
  readonly complaints: string[] = [];

  private constructor(
    private readonly process: Child,
    readonly url: string,
    readonly browser: Browser,
    readonly page: Page,
  ) {
    [this.matrix, this.network, this.bridge] = [
      page.locator("#matrix"),
      page.locator("#network"),
      page.locator("#bridge"),
    ];
    page.setDefaultTimeout(patiently(SOON));
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.complaints.push(message.text());
    });
  }

  /** `npx trestle start`, with the bridge's name where one is given; resolves when the bridge runs. */
  static async open(
    { executable, args }: ChromiumInstall,
    bridge?: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<PlaygroundPage> {
    mkdirSync(PICTURES, { recursive: true });
    const words = ["start", ...(bridge === undefined ? [] : [bridge])];
    const child = await Child.start("the playground", COMMAND, words, { env: { NO_COLOR: "1", ...env } });
    const url = await until(
      SOON,
      "the playground's address",
      () => (child.running ? /Open (\S+)/.exec(child.output)?.[1] : "it ended"),
      () => child.output,
    );
    if (!child.running) throw new Error(`The playground ended: ${child.output}`);
    const browser = await chromium.launch({
      executablePath: executable,
      args: [...args],
      timeout: patiently(30_000),
    });
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 }, colorScheme: "light" });
    const playground = new PlaygroundPage(child, url, browser, page);
    await page.goto(url);
    await playground.bridge.getByText("Running").waitFor();
    return playground;
  }

  async picture(name: string, options: { readonly fullPage?: boolean; readonly of?: Page } = {}): Promise<void> {
    const { fullPage = false, of = this.page } = options;
    await of.screenshot({ path: join(PICTURES, `${name}.png`), fullPage });
  }

  /** What it printed. */
  get output(): string {
    return this.process.output;
  }

  /** Says something in the box with this label. */
  async type(label: string, text: string): Promise<void> {
    const box = this.page.getByLabel(label);
    await box.fill(text);
    await box.press("Enter");
  }

  /** Ctrl-C; resolves, to how it ended, when it has. */
  async interrupt(): Promise<string | undefined> {
    this.process.signal("SIGINT");
    await until(ENDS_WITHIN, "the playground to end", () => (this.process.running ? undefined : true));
    return this.process.ended;
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.process.stop(ENDS_WITHIN);
  }
}
