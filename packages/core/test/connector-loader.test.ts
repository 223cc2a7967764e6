import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { ConfigError, loadConnector, parseConfig, parseNetworkConfig } from "../dist/config/index.js";

const connector = `export default {
  network: "echo",
  config: { safeParse: (data) => ({ success: true, data }) },
  connect: () => ({ message: async () => undefined }),
};`;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "trestle-connectors-"));
  const add = async (path: string, content: string) => {
    await mkdir(join(directory, path, ".."), { recursive: true });
    await writeFile(join(directory, path), content);
  };
  await add("echo.mjs", connector);
  await add("empty.mjs", "export const x = 1;");
  await add("half.mjs", 'export default { network: "Bad Name", config: {}, connect() {} };');
  await add("broken.mjs", 'throw new Error("no such socket");');
  await add(
    "node_modules/good-connector/package.json",
    '{"name":"good-connector","type":"module","exports":{".":{"import":"./main.js"}}}',
  );
  await add("node_modules/good-connector/main.js", connector);
  await add("node_modules/@org/other/package.json", '{"name":"@org/other","type":"module","main":"main.js"}');
  await add("node_modules/@org/other/main.js", connector);
});
afterAll(async () => rm(directory, { recursive: true }));

describe("loading a connector", () => {
  it.each(["./echo.mjs", "good-connector", "@org/other"])("finds %s beside the configuration", async (name) => {
    expect((await loadConnector(name, directory)).network).toBe("echo");
  });

  it("finds one by an absolute path", async () => {
    expect((await loadConnector(join(directory, "echo.mjs"), "/")).network).toBe("echo");
  });

  it.each([
    ["not-there-at-all", /is not installed\. Install it with: npm i not-there-at-all/],
    ["./gone.mjs", /gone\.mjs.* does not load/],
    ["./broken.mjs", /does not load: no such socket/],
    ["./empty.mjs", /its default export must be what defineConnector/],
    ["./half.mjs", /is not a connector/],
  ])("explains what is wrong with %s", async (name, message) => {
    await expect(loadConnector(name, directory)).rejects.toMatchObject({
      name: "StartError",
      failure: "connector",
      message: expect.stringMatching(message),
    });
  });
});

describe("a bridge's network section", () => {
  const text = (network: string) => `homeserver: { url: http://localhost, name: example.org }
bridges:
  - { name: one, connector: a, registration: a.yaml }
  - name: two
    connector: b
    registration: b.yaml
    network:
${network}`;
  const schema = z.strictObject({
    servers: z.array(z.strictObject({ host: z.string(), port: z.int().max(65535).default(6697) })),
    mode: z.enum(["fast", "slow"]).optional(),
  });
  const parse = (network: string, environment = {}) =>
    parseNetworkConfig(parseConfig(text(network), "/x/trestle.yaml", { environment }), "two", { config: schema });

  it("is validated by the connector, with its defaults", () => {
    expect(parse("      servers: [{ host: a }]\n")).toEqual({ servers: [{ host: "a", port: 6697 }] });
  });

  it("has its errors told with file, line and key", () => {
    try {
      parse("      servers:\n        - host: a\n          prot: 1\n        - port: 99999\n          host: 3\n");
      throw new Error("accepted");
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      expect(error.message.split("\n")).toEqual([
        "/x/trestle.yaml:10: bridges[1].network.servers[0].prot: there is no such key; did you mean port?",
        "/x/trestle.yaml:11: bridges[1].network.servers[1].port: expected a number of at most 65535",
        "/x/trestle.yaml:12: bridges[1].network.servers[1].host: expected text, found the number 3",
      ]);
    }
  });

  it("takes numbers from the environment, and does not print what came from there", () => {
    expect(parse('      servers: [{ host: h, port: "${P}" }]\n', { P: "7000" })).toEqual({
      servers: [{ host: "h", port: 7000 }],
    });
    expect(() => parse('      servers: []\n      mode: "${M}"\n', { M: "hunter2" })).toThrow(
      /mode: expected one of fast, slow, found text$/,
    );
  });
});
