const { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

const KNOWN = [
  "synapse",
  "inspircd",
  "ngircd",
  "atheme",
  "mosquitto",
  "postgresql",
  "chromium",
  "prosody",
  "ejabberd",
  "slixmpp",
  "go-sendxmpp",
  "profanity",
];

/**
 * Says in the last lines of a run which real servers took part and which were missing. A run of all tests fails when a
 * server that TRESTLE_REQUIRE_SERVERS names took no part. TRESTLE_SUMMARY names a file that gets the same lines.
 */
class ServersReporter {
  constructor(globalConfig) {
    this.globalConfig = globalConfig;
    this.required = (process.env.TRESTLE_REQUIRE_SERVERS ?? "")
      .split(",")
      .map((name) => name.trim())
      .filter(Boolean);
    const unknown = this.required.filter((name) => !KNOWN.includes(name));
    if (unknown.length > 0)
      throw new Error(`TRESTLE_REQUIRE_SERVERS names ${unknown.join(", ")}; known are ${KNOWN.join(", ")}.`);
    // The workers, which inherit the environment, write here what they found.
    this.directory = mkdtempSync(join(tmpdir(), "trestle-servers-"));
    process.env.TRESTLE_SERVERS_RECORD = this.directory;
  }

  onRunComplete(_contexts, results) {
    const records = new Map();
    for (const file of readdirSync(this.directory)) {
      for (const line of readFileSync(join(this.directory, file), "utf8").split("\n").filter(Boolean)) {
        const record = JSON.parse(line);
        records.set(record.name, record);
      }
    }
    rmSync(this.directory, { recursive: true, force: true });
    const absent = this.required.filter((name) => !records.get(name)?.found);
    this.failure =
      this.isWhole() && absent.length > 0 ? new Error(`Required, but took no part: ${absent.join(", ")}.`) : undefined;
    const lines = [];
    if (records.size > 0) {
      lines.push("Real servers:");
      for (const name of KNOWN.filter((known) => records.has(known))) {
        const record = records.get(name);
        lines.push(
          record.found
            ? `  took part  ${record.version} (${record.where})`
            : `  MISSING    ${name}: ${record.reason}; its tests were skipped. Install it with: ${record.cure}`,
        );
      }
    }
    if (this.failure) lines.push(`  FAILED     ${this.failure.message}`);
    lines.push(
      `Tests: ${results.numPassedTests} passed, ${results.numFailedTests + results.numRuntimeErrorTestSuites} failed, ${results.numPendingTests} skipped`,
    );
    const text = `${lines.join("\n")}\n`;
    if (process.env.TRESTLE_SUMMARY) writeFileSync(process.env.TRESTLE_SUMMARY, text);
    // Jest's own summary follows the reporters; this is to be read last.
    process.once("exit", () => writeSync(2, text));
  }

  /** Whether all tests were asked for, not a selection. */
  isWhole() {
    const { testPathPatterns, testNamePattern, onlyChanged, shard } = this.globalConfig;
    return !(testPathPatterns?.patterns?.length > 0) && !testNamePattern && !onlyChanged && !shard;
  }

  getLastError() {
    return this.failure;
  }
}

module.exports = ServersReporter;
