import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { migrate, migrations, SchemaTooNew } from "../../dist/store/migrations.js";
import { StoreInUse } from "../../dist/store/ownership.js";
import { Secrets } from "../../dist/store/secrets.js";
import { SqliteStore } from "../../dist/store/sqlite-store.js";
import { tempDirectory } from "../support/temp.js";

describe("the store", () => {
  let directory: ReturnType<typeof tempDirectory>;
  let file: string;
  beforeEach(() => {
    directory = tempDirectory();
    file = join(directory.path, "trestle.db");
  });
  afterEach(() => directory.remove());

  it("answers a commit when it can be read, also by another connection", async () => {
    const store = await SqliteStore.open({ file });
    await store.commit([["addBridge", "irc"]]);
    const other = new Database(file, { readonly: true });
    expect(other.prepare("SELECT name FROM bridge").all()).toEqual([{ name: "irc" }]);
    other.close();
    await store.close();
  });

  it("numbers new rows and says 0 for known ones", async () => {
    const store = await SqliteStore.open({ file });
    const results = await store.commit([
      ["append", 1, 0, "lane", "$a", 1, "{}"],
      ["append", 1, 0, "lane", "$a", 1, "{}"],
      ["append", 1, 0, "other", "$a", 1, "{}"],
    ]);
    const [first = 0, known, other = 0] = results;
    expect(first).toBeGreaterThan(0);
    expect(known).toBe(0);
    expect(other).toBeGreaterThan(first);
    await store.close();
  });

  it("undoes the whole unit that fails, and no other", async () => {
    const store = await SqliteStore.open({ file });
    const good = store.commit([["addBridge", "one"]]);
    const bad = store.commit([
      ["addBridge", "two"],
      ["append", 1, 0, "lane", null, 1, "{}"],
    ]);
    const also = store.commit([["addBridge", "three"]]);
    await expect(bad).rejects.toMatchObject({ name: "StoreError" });
    await Promise.all([good, also]);
    expect(await store.all("SELECT name FROM bridge ORDER BY name")).toEqual([{ name: "one" }, { name: "three" }]);
    await store.close();
  });

  it("keeps the order of units that are committed together", async () => {
    const store = await SqliteStore.open({ file });
    const commits = Array.from({ length: 500 }, (_, n) => store.commit([["append", 1, 0, "lane", `$${n}`, 1, "{}"]]));
    const seqs = (await Promise.all(commits)).map(([seq]) => seq);
    expect(seqs).toEqual([...seqs].sort((a, b) => (a ?? 0) - (b ?? 0)));
    await store.close();
  });

  it("tells of units in their order, also of one that need not be waited for after one that must be", async () => {
    const store = await SqliteStore.open({ file });
    const told: string[] = [];
    const unit = (name: string, entries: number): Promise<void> => {
      const writes = Array.from(
        { length: entries },
        (_, n) => ["append", 1, 0, "lane", `$${name}${n}`, 1, "{}"] as const,
      );
      return new Promise((resolve) => {
        store.submit(writes, "now", () => {
          told.push(name);
          resolve();
        });
      });
    };
    for (let n = 0; n < 20; n += 1) {
      const large = unit(`large${n}`, 200);
      // It is under way by then, and what comes now waits behind it.
      await new Promise((resolve) => setImmediate(resolve));
      await Promise.all([large, unit(`small${n}`, 1)]);
    }
    expect(told).toEqual(Array.from({ length: 20 }, (_, n) => [`large${n}`, `small${n}`]).flat());
    await store.close();
  });

  it("refuses a second owner, in this process and in another, until the first is gone", async () => {
    const store = await SqliteStore.open({ file });
    await expect(SqliteStore.open({ file })).rejects.toThrow(StoreInUse);
    const script = `import { SqliteStore } from ${JSON.stringify(new URL("../../dist/store/sqlite-store.js", import.meta.url).href)};
      try { await SqliteStore.open({ file: ${JSON.stringify(file)} }); process.exit(0); } catch (error) { console.log(error.name); process.exit(7); }`;
    const other = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
    expect({ status: other.status, said: other.stdout.trim() }).toEqual({ status: 7, said: "StoreInUse" });
    await store.close();
    const again = await SqliteStore.open({ file });
    await again.close();
  });

  it("waits at a start for somebody else who is writing, such as a backup tool", async () => {
    await (await SqliteStore.open({ file })).close();
    const script = `import Database from "better-sqlite3";
      const db = new Database(${JSON.stringify(file)});
      db.exec("BEGIN IMMEDIATE");
      console.log("held");
      setTimeout(() => db.exec("COMMIT"), 400);`;
    const other = spawn(process.execPath, ["--input-type=module", "-e", script], {
      cwd: fileURLToPath(new URL(".", import.meta.url)),
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(other, "exit");
    await once(other.stdout, "data");
    const store = await SqliteStore.open({ file });
    await store.close();
    expect(await ended).toEqual([0, null]);
  });

  it("loses nothing that was committed when the process is killed", async () => {
    const script = `import { SqliteStore } from ${JSON.stringify(new URL("../../dist/store/sqlite-store.js", import.meta.url).href)};
      const store = await SqliteStore.open({ file: ${JSON.stringify(file)} });
      for (let n = 0; n < 50; n += 1) await store.commit([["append", 1, 0, "lane", "$" + n, 1, "{}"]]);
      process.kill(process.pid, "SIGKILL");`;
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", script]);
    expect(child.signal).toBe("SIGKILL");
    const store = await SqliteStore.open({ file });
    expect(await store.get("SELECT count(*) AS count FROM journal")).toEqual({ count: 50 });
    await store.close();
  });
});

describe("migrations", () => {
  it.each(migrations.map((_, version) => version))(
    "bring a database of version %i to the newest, keeping its rows",
    (version) => {
      const db = new Database(":memory:");
      migrate(db, migrations.slice(0, version));
      if (version > 0) db.prepare("INSERT INTO bridge (name) VALUES ('irc')").run();
      migrate(db);
      expect(db.pragma("user_version", { simple: true })).toBe(migrations.length);
      if (version > 0) expect(db.prepare("SELECT name FROM bridge").all()).toEqual([{ name: "irc" }]);
      db.close();
    },
  );

  it("leave the version before the step that fails", () => {
    const db = new Database(":memory:");
    expect(() =>
      migrate(db, ["CREATE TABLE one (id INTEGER)", "CREATE TABLE two (id INTEGER); SELECT broken"]),
    ).toThrow();
    expect(db.pragma("user_version", { simple: true })).toBe(1);
    expect(db.prepare("SELECT name FROM sqlite_master WHERE name = 'two'").all()).toEqual([]);
    db.close();
  });

  it("refuse a database of a newer Trestle", () => {
    const db = new Database(":memory:");
    db.pragma(`user_version = ${migrations.length + 1}`);
    expect(() => migrate(db)).toThrow(SchemaTooNew);
    db.close();
  });
});

describe("secrets", () => {
  const secrets = new Secrets("a passphrase of more than thirty-two characters");

  it.each(["", "correct horse battery staple", "ä 🐎 \u0000", "x".repeat(5_000)])(
    "come back as they were: %#",
    (text) => {
      expect(secrets.open(secrets.seal(text, "here"), "here")).toBe(text);
    },
  );

  it("cannot be read, moved or changed by whoever has the database", () => {
    const sealed = secrets.seal("hunter2", "here");
    expect(sealed.toString("latin1")).not.toContain("hunter2");
    expect(() => secrets.open(sealed, "there")).toThrow(/decrypted/);
    expect(() => new Secrets("another passphrase of thirty-two characters").open(sealed, "here")).toThrow(/decrypted/);
    expect(() => new Secrets(undefined).open(sealed, "here")).toThrow(/encryptionKey/);
    const changed = Buffer.from(sealed);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    expect(() => secrets.open(changed, "here")).toThrow(/decrypted/);
  });
});
