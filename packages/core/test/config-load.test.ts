import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatRegistration, generateRegistration } from "../dist/appservice/registration-index.js";
import { composeConfig, ConfigError, loadConfig, parseConfig, RegistrationError } from "../dist/config/index.js";
import type { Problem } from "../dist/config/index.js";

const base = `homeserver:
  url: http://localhost:8008
  name: example.org
permissions: { "@admin:example.org": admin }
bridges:
  - name: irc
    connector: irc
    registration: ./registration-irc.yaml
`;

function problemsOf(text: string, environment: Record<string, string> = {}): readonly Problem[] {
  try {
    parseConfig(text, "/etc/trestle/trestle.yaml", { environment });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

function lines(text: string, environment: Record<string, string> = {}): string[] {
  try {
    parseConfig(text, "trestle.yaml", { environment });
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split("\n");
    throw error;
  }
  return [];
}

describe("a configuration", () => {
  it("gets its defaults, and durations become milliseconds", () => {
    const { config } = parseConfig(`${base}delivery: { retryMax: 2m, retryMin: 250 }\n`, "/etc/trestle/trestle.yaml");
    expect(config.listen).toEqual({ host: "127.0.0.1", port: 9993 });
    expect(config.delivery.retryMax).toBe(120_000);
    expect(config.delivery.retryMin).toBe(250);
    expect(config.delivery.maxAgeToMatrix).toBe(7 * 86_400_000);
    expect(config.bridges[0]).toMatchObject({ links: [], membership: "lazy", relayFormat: "{name}", network: {} });
  });

  it("has its paths resolved against the file", () => {
    const text = base.replace("connector: irc", "connector: ./mine.js");
    const { config } = parseConfig(text, "/etc/trestle/trestle.yaml");
    expect(config.dataDirectory).toBe("/etc/trestle/data");
    expect(config.bridges[0]?.registration).toBe("/etc/trestle/registration-irc.yaml");
    expect(config.bridges[0]?.connector).toBe("/etc/trestle/mine.js");
  });

  it("reports all that is wrong at once, in the file's order, each with its line and key", () => {
    const text = `homeserver:
  url: localhost:8008
  nmae: example.org
log:
  level: dbug
delivery:
  retryMin: soon
listen:
  port: 70000
bridges: []
`;
    expect(lines(text)).toEqual([
      expect.stringMatching(/^trestle\.yaml:1: homeserver\.name: is missing: expected text/),
      "trestle.yaml:2: homeserver.url: expected a URL that begins with http:// or https://",
      "trestle.yaml:3: homeserver.nmae: there is no such key; did you mean name?",
      expect.stringMatching(
        /^trestle\.yaml:5: log\.level: expected one of trace, .*found "dbug"; did you mean debug\?$/,
      ),
      expect.stringMatching(/^trestle\.yaml:7: delivery\.retryMin: expected a duration such as/),
      "trestle.yaml:9: listen.port: expected a number of at most 65535",
      "trestle.yaml:10: bridges: expected at least 1 entry",
    ]);
  });

  it("names keys inside lists and lists the known keys where none is close", () => {
    const text = base.replace("    connector: irc\n", "    connector: irc\n    zzz: 1\n");
    expect(lines(text)).toEqual([
      expect.stringMatching(/^trestle\.yaml:8: bridges\[0\]\.zzz: there is no such key; known here: name, connector,/),
    ]);
  });

  it.each([
    ["a broken document", "homeserver: [\n", /not valid YAML/],
    ["an empty document", "# nothing\n", /the file is empty/],
    ["two documents", `${base}---\na: 1\n`, /found several/],
    ["a key twice", `${base}listen: {}\nlisten: {}\n`, /duplicated mapping key/],
    ["a list instead of a section", "- a\n", /expected a section of keys, found a list/],
    [
      "an alias that contains itself",
      base.replace("registration:", "network: &a { b: *a }\n    registration:"),
      /alias/,
    ],
  ])("%s is an error with the file's name", (_name, text, message) => {
    const [problem] = problemsOf(text);
    expect(problem?.file).toBe("/etc/trestle/trestle.yaml");
    expect(problem?.message).toMatch(message);
  });

  it.each([
    [
      "two bridges of one name",
      "  - { name: irc, connector: irc, registration: ./other.yaml, commandPrefix: '!b' }\n",
      "bridges[1].name",
    ],
    [
      "two bridges of one registration",
      "  - { name: b, connector: irc, registration: ./registration-irc.yaml }\n",
      "bridges[1].registration",
    ],
    [
      "two bridges of one command prefix",
      "  - { name: b, connector: irc, registration: ./b.yaml, commandPrefix: '!irc' }\n",
      "bridges[1].commandPrefix",
    ],
    ["two listeners on one port", "listen: { port: 9994 }\n", "operations.port"],
    ["a permission for nobody", "permissions: { 'admin@example.org': admin }\n", 'permissions["admin@example.org"]'],
    ["a first wait beyond the longest", "delivery: { retryMin: 2h }\n", "delivery.retryMin"],
  ])("%s is an error", (_name, more, path) => {
    const text = more.startsWith("permissions") ? base.replace(/permissions: .*\n/, "") + more : base + more;
    expect(lines(text)).toEqual([expect.stringContaining(`: ${path}: `)]);
  });

  it("warns where nobody is user or admin", () => {
    const { warnings } = parseConfig(base.replace(/permissions: .*\n/, ""), "trestle.yaml");
    expect(warnings.map((each) => each.message)).toEqual([expect.stringContaining("nobody is user or admin")]);
  });

  it("can be made by a program", () => {
    expect(() =>
      composeConfig({ homeserver: { url: "http://localhost", name: "a" }, bridges: [] }, new Map(), "/tmp"),
    ).toThrow(ConfigError);
  });
});

describe("${ENV} and _FILE", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "trestle-config-"));
  });
  afterEach(async () => rm(directory, { recursive: true }));

  const parseHere = (text: string, environment: Record<string, string> = {}) =>
    parseConfig(text, join(directory, "trestle.yaml"), { environment });

  it("replaces variables inside texts, and $${ by ${", () => {
    const text = base.replace("name: example.org", "name: ${HOST}.org") + "bridges_: 1\n".slice(0, 0);
    const { config } = parseHere(`${text}encryptionKey: "$\${${"x".repeat(32)}}"\n`, { HOST: "chat" });
    expect(config.homeserver.name).toBe("chat.org");
    expect(config.encryptionKey).toBe(`\${${"x".repeat(32)}}`);
  });

  it("reads a number from the environment where a number belongs, and text where text belongs", () => {
    const { config } = parseHere(`${base}listen: { host: "\${A}", port: "\${B}" }\n`, { A: "10", B: "1234" });
    expect(config.listen).toEqual({ host: "10", port: 1234 });
  });

  it("names the variable that is not set, and says nothing else about that key", () => {
    const message = lines(`${base}encryptionKey: \${NO_SUCH_KEY}\n`);
    expect(message).toEqual(["trestle.yaml:9: encryptionKey: the environment variable NO_SUCH_KEY is not set"]);
  });

  it("takes the trimmed content of a file, also in a connector's section", async () => {
    await writeFile(join(directory, "key"), `  ${"k".repeat(40)}\n`);
    await writeFile(join(directory, "password"), "hunter2\n");
    const text = `${base}    network: { servers: [{ password_FILE: password }] }\nencryptionKey_FILE: ./key\n`;
    const { config } = parseHere(text);
    expect(config.encryptionKey).toBe("k".repeat(40));
    expect(config.bridges[0]?.network).toEqual({ servers: [{ password: "hunter2" }] });
  });

  it("says which file is missing, and refuses key and key_FILE together", () => {
    const text = `${base}encryptionKey: ${"k".repeat(32)}\nencryptionKey_FILE: ./gone\n`;
    expect(() => parseHere(text)).toThrow(/encryptionKey_FILE: give either encryptionKey or encryptionKey_FILE/);
    expect(() => parseHere(text)).toThrow(/cannot read .*gone: there is no such file/);
  });

  it("never prints what came from the environment or a file", async () => {
    await writeFile(join(directory, "secret"), "hunter2");
    const text = `${base}log: { level: "\${LEVEL}" }\nencryptionKey_FILE: secret\n`;
    let message = "";
    try {
      parseHere(text, { LEVEL: "s3cr3t" });
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain("log.level: expected one of");
    expect(message).toContain("encryptionKey: expected at least 32 characters");
    expect(message).not.toMatch(/s3cr3t|hunter2/);
  });
});

describe("loading a configuration with its registrations", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "trestle-load-"));
  });
  afterEach(async () => rm(directory, { recursive: true }));

  async function register(name: string, changes: Record<string, unknown> = {}): Promise<void> {
    const document = generateRegistration({
      id: name,
      url: "http://localhost:9993",
      serverName: "example.org",
      prefix: `${name}_`,
      botLocalpart: `${name}bot`,
    });
    await writeFile(join(directory, `registration-${name}.yaml`), formatRegistration({ ...document, ...changes }));
  }
  const second = "  - { name: other, connector: irc, registration: ./registration-other.yaml }\n";

  it("gives every bridge its registration and leaves the files as they are", async () => {
    const path = join(directory, "trestle.yaml");
    await writeFile(path, `# mine\n${base}${second}`);
    await register("irc");
    await register("other");
    const before = await stat(path, { bigint: true });
    const loaded = await loadConfig(path);
    expect([...loaded.registrations.keys()]).toEqual(["irc", "other"]);
    expect(loaded.registrations.get("irc")?.bot).toBe("@ircbot:example.org");
    expect(loaded.warnings).toEqual([]);
    expect(await readFile(path, "utf8")).toBe(`# mine\n${base}${second}`);
    expect((await stat(path, { bigint: true })).mtimeNs).toBe(before.mtimeNs);
  });

  it.each([
    ["the same id", { id: "irc" }, /is also the id in/],
    ["the same as_token", undefined, /is also the as_token in/],
    ["the same bot", { sender_localpart: "ircbot" }, /is also the bot in/],
    [
      "overlapping users",
      {
        "trestle.ghost_prefix": "irc_b_",
        namespaces: { users: [{ exclusive: true, regex: "^@irc_b_.*:example\\.org$" }] },
      },
      /would belong to irc and other/,
    ],
  ])("refuses two registrations with %s", async (_name, changes, message) => {
    await writeFile(join(directory, "trestle.yaml"), base + second);
    await register("irc", { as_token: "a".repeat(32) });
    await register("other", changes ?? { as_token: "a".repeat(32) });
    const loading = loadConfig(join(directory, "trestle.yaml"));
    await expect(loading).rejects.toThrow(RegistrationError);
    await expect(loading).rejects.toThrow(message);
  });

  it("names the registration that is missing and the command that makes one", async () => {
    await writeFile(join(directory, "trestle.yaml"), base);
    await expect(loadConfig(join(directory, "trestle.yaml"))).rejects.toThrow(
      /registration-irc\.yaml: cannot read this registration: there is no such file; make one with: trestle registration generate/,
    );
  });

  it("names a configuration that is missing or is a directory", async () => {
    await mkdir(join(directory, "d"));
    await expect(loadConfig(join(directory, "no.yaml"))).rejects.toThrow(
      /there is no such file; make one with: trestle init/,
    );
    await expect(loadConfig(join(directory, "d"))).rejects.toThrow(/it is a directory/);
  });
});
