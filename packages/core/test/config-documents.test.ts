import { describe, expect, it } from "@jest/globals";
import { Ajv2020 } from "ajv/dist/2020.js";
import { load } from "js-yaml";
import { z } from "zod";
import {
  configJsonSchema,
  parseConfig,
  renderConfig,
  renderReference,
  renderSample,
  toJsonSchema,
} from "../dist/config/index.js";
import type { ConnectorSection } from "../dist/config/index.js";

const section: ConnectorSection = {
  name: "irc",
  displayName: "IRC",
  schema: toJsonSchema(
    z.strictObject({
      host: z.string().describe("Where it is"),
      retries: z.int().min(1).default(3).describe("How often"),
      rooms: z.array(z.strictObject({ name: z.string().describe("A name | with a bar") })).default([]),
    }),
  ),
  example: { host: "irc.example.net" },
};

const sample = renderSample([section]);
const schema = configJsonSchema([section]);
const validate = new Ajv2020({ allErrors: true, strict: true, strictTypes: false, formats: { uri: true } }).compile(
  schema,
);

/** Removes the # of the lines of a section that is a comment as a whole. */
function uncomment(text: string, name: string): string {
  const lines = text.split("\n");
  const start = lines.indexOf(`# ${name}:`);
  expect(start).toBeGreaterThan(0);
  const end = lines.findIndex((line, at) => at > start && !line.startsWith("#"));
  return lines.map((line, at) => (at >= start && at < end ? line.replace(/^# ?/, "") : line)).join("\n");
}

describe("the sample", () => {
  it("is a valid configuration that leaves every default as it is", () => {
    const { config } = parseConfig(sample, "/x/trestle.yaml", { environment: {} });
    const plain = parseConfig(
      JSON.stringify({
        homeserver: { url: "http://h", name: "n" },
        bridges: [{ name: "a", connector: "irc", registration: "r" }],
      }),
      "/x/trestle.yaml",
    ).config;
    expect(config.delivery).toEqual(plain.delivery);
    expect(config.bridges[0]?.network).toEqual({ host: "irc.example.net" });
  });

  it.each(["listen", "operations", "delivery", "log", "media"])(
    "shows in its comments the true defaults of %s",
    (name) => {
      const before = parseConfig(sample, "/x/trestle.yaml", { environment: {} }).config;
      const text = uncomment(sample, name);
      expect(text).not.toBe(sample);
      expect(load(text)).toHaveProperty(name);
      expect(parseConfig(text, "/x/trestle.yaml", { environment: {} }).config).toEqual(before);
    },
  );

  it("has every key of the schema", () => {
    const names = (each: unknown): string[] => {
      if (typeof each !== "object" || each === null) return [];
      const own =
        "properties" in each && typeof each.properties === "object" && each.properties !== null
          ? Object.keys(each.properties)
          : [];
      return [...own, ...Object.values(each).flatMap(names)];
    };
    for (const key of new Set(names(schema))) expect(sample).toMatch(new RegExp(`^[ #-]*${key}:`, "m"));
  });

  it("is valid by the JSON Schema", () => {
    expect(validate(load(sample)) ? [] : validate.errors).toEqual([]);
  });
});

describe("the JSON Schema", () => {
  const document = () =>
    load(sample) as { bridges: Record<string, unknown>[]; listen?: unknown; homeserver: Record<string, unknown> };

  it.each([
    ["an unknown key", { listn: {} }, false],
    ["a wrong type", { listen: { port: "x" } }, false],
    ["a port from the environment", { listen: { port: "${PORT}" } }, true],
    ["a secret from a file", { encryptionKey_FILE: "./key" }, true],
    ["a duration", { delivery: { retryMax: "90s" } }, true],
    ["a bad duration", { delivery: { retryMax: "soon" } }, false],
  ])("%s", (_name, more, valid) => {
    expect(validate({ ...document(), ...more })).toBe(valid);
  });

  it("knows the sections of connectors", () => {
    const wrong = document();
    wrong.bridges = [{ ...wrong.bridges[0], network: { hots: "x" } }];
    expect(validate(wrong)).toBe(false);
    const other = document();
    other.bridges = [{ ...other.bridges[0], connector: "some-package", network: { hots: "x" } }];
    expect(validate(other)).toBe(true);
  });
});

describe("a rendered configuration", () => {
  it("has what is given, briefly, and is read back", () => {
    const values = {
      homeserver: { url: "http://h:1", name: "example.org" },
      permissions: { "*": "block" },
      bridges: [
        {
          name: "a",
          connector: "irc",
          registration: "./a.yaml",
          network: { host: "one", rooms: [{ name: "# odd: 'name'" }, { name: "yes" }] },
        },
        { name: "b", connector: "other", registration: "./b.yaml", network: { any: [1, { x: null }] } },
      ],
    };
    const text = renderConfig({ values, connectors: [section], brief: true });
    expect(load(text)).toEqual(values);
    expect(text).not.toContain("retryMin");
  });
});

describe("the reference", () => {
  it("has a row for every option, and bars do not break its tables", () => {
    const page = renderReference([section]);
    expect(page).toContain("| `retryMax` | duration | `60s` |");
    expect(page).toContain("| `retries` | whole number from 1 | `3` | How often. |");
    expect(page).toContain("| `name` | text | **required** | A name \\| with a bar. |");
    expect(page).toContain("### `bridges[].network.rooms[]`");
  });
});
