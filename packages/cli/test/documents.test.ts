import { describe, expect, it } from "@jest/globals";
import { readFile } from "node:fs/promises";
import { exitCodes, generateDocuments } from "../dist/index.js";
import { createProgram } from "../dist/program.js";
import { parseRegistration } from "@trestle/core";
import type { Command } from "commander";

const root = new URL("../../../", import.meta.url);
const read = (path: string): Promise<string> => readFile(new URL(path, root), "utf8");

describe("generated documents", () => {
  it.each(["docs/configuration.md", "docs/trestle.sample.yaml", "docs/trestle.schema.json", "bridges/slack/README.md"])(
    "%s is what the schema makes (else: npm run docs:generate)",
    async (path) => {
      expect(await read(path)).toBe((await generateDocuments()).get(path));
    },
  );
});

describe("docs/cli.md", () => {
  it("has every exit status with its name, and no other", async () => {
    const rows = [...(await read("docs/cli.md")).matchAll(/^\| (\d+) +\| (\w+) +\|/gm)].map(([, code, name]) => [
      name,
      Number(code),
    ]);
    expect(Object.fromEntries(rows)).toEqual(exitCodes);
  });

  it("has every command", async () => {
    const page = await read("docs/cli.md");
    const commands = (command: Command, path: string): string[] =>
      command.commands.flatMap((each) =>
        each.commands.length > 0 ? commands(each, `${path} ${each.name()}`) : [`${path} ${each.name()}`],
      );
    for (const command of commands(createProgram(), "trestle")) expect(page).toContain(`\`${command}`);
  });
});

describe.each(["irc", "mqtt", "slack", "xmpp"])("registration-templates/%s.yaml", (network) => {
  it("is valid once its tokens are filled in, and refused before", async () => {
    const template = await read(`registration-templates/${network}.yaml`);
    const raw = parseRegistration(template, `${network}.yaml`, "example.org");
    expect(raw.problems.map((each) => each.path)).toEqual([["as_token"], ["hs_token"]]);
    const filled = template.replace("CHANGE_ME_as_token", "a".repeat(64)).replace("CHANGE_ME_hs_token", "b".repeat(64));
    const { registration, problems } = parseRegistration(filled, `${network}.yaml`, "example.org");
    expect(problems).toEqual([]);
    expect(registration).toMatchObject({
      ghostPrefix: `${network}_`,
      aliasPrefix: `${network}_`,
      receivesEphemeral: true,
      rateLimited: false,
    });
  });
});

describe("the guides", () => {
  it("link to files that exist", async () => {
    for (const page of [
      "README.md",
      "bridges/slack/README.md",
      "bridges/xmpp/README.md",
      "docs/admin.md",
      "docs/set-up-xmpp.md",
      "docs/cli.md",
      "docs/write-a-bridge.md",
      "docs/connectors.md",
      "docs/operator.md",
      "docs/configuration.md",
    ]) {
      const links = [...(await read(page)).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, target]) => target!);
      for (const target of links)
        await expect(read(new URL(target, new URL(page, root)).href.slice(root.href.length))).resolves.toBeTruthy();
    }
  });
});
