import { afterEach, describe, expect, it } from "@jest/globals";
import { join } from "node:path";
import type { AccountNetworks, Login, NetworkHandlers } from "@trestle/core";
import Database from "better-sqlite3";
import { Stage } from "../faults/stage.js";
import { eventually } from "./recorder.js";

const bot = "@fakebot:faults.test";

/** A network of several; people have an account on each. */
class Several {
  readonly signedIn: Login[] = [];
  readonly signedOut: Login[] = [];
  readonly handlers: Partial<NetworkHandlers>;

  /** `now`: absent in a version that knew one account for each person. */
  constructor(readonly networks: { now: AccountNetworks | undefined }) {
    this.handlers = {
      login: ({ network = "red" }) =>
        Promise.resolve({ name: `ann on ${network}`, secret: { network, word: `s3cret of ${network}` } }),
      signedIn: (login) => {
        this.signedIn.push(login);
        return Promise.resolve();
      },
      logout: (login) => {
        this.signedOut.push(login);
        return Promise.resolve();
      },
    };
  }
}

const redAndBlue: AccountNetworks = { names: ["red", "blue"], of: ({ secret }) => secret["network"] };

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

/** A direct chat with the bot. */
class Chat {
  private constructor(
    private readonly opened: Stage,
    private readonly room: string,
  ) {}

  static async open(opened: Stage): Promise<Chat> {
    const room = await opened.alice.createRoom({ invite: [bot], is_direct: true, preset: "trusted_private_chat" });
    await eventually(() => opened.homeserver.room(room).members()[bot] === "join", "the bot accepts the invite");
    return new Chat(opened, room);
  }

  /** What the bot answers. */
  async type(text: string): Promise<string> {
    const before = this.answers().length;
    await this.opened.alice.sendText(this.room, text);
    await eventually(() => this.answers().length > before, `an answer to ${text}`);
    return this.answers().at(-1) ?? "";
  }

  private answers(): string[] {
    const messages = this.opened.homeserver.room(this.room).messages();
    return messages
      .filter(({ sender }) => sender === bot)
      .map(({ content }) => String((content as { body?: unknown }).body));
  }
}

async function open(several: Several): Promise<Chat> {
  stage = await Stage.open({
    places: 0,
    config: { permissions: { "*": "user" }, encryptionKey: "a key for tests that is long enough" },
    // Read at each connect.
    network: {
      get handlers() {
        const { now } = several.networks;
        return { ...several.handlers, ...(now && { accountNetworks: now }) };
      },
    },
  });
  return Chat.open(stage);
}

describe("a bridge to several networks", () => {
  it("has an account of a person on each, and lists and forgets them one by one", async () => {
    const several = new Several({ now: redAndBlue });
    const chat = await open(several);
    expect(await chat.type("login")).toMatch(/several networks.*login <network>.*red, blue/);
    expect(await chat.type("login green")).toMatch(/no network “green”.*red, blue/);
    expect(await chat.type("logins")).toMatch(/not signed in/);
    expect(await chat.type("logout")).toMatch(/not signed in/);
    expect(await chat.type("login red")).toBe("Signed in as ann on red.");
    expect(await chat.type("login Red")).toBe("You are signed in already. Sign out first with: logout red");
    expect(await chat.type("login BLUE")).toBe("Signed in as ann on blue.");
    expect(await chat.type("logins")).toBe(
      "ann on blue – sign out with: logout blue\nann on red – sign out with: logout red",
    );
    expect(await chat.type("logout")).toMatch(/more than once.*logout blue or logout red/);
    expect(await chat.type("logout green")).toMatch(/not signed in to “green”/);
    expect(await chat.type("logout red")).toBe("Signed out; ann on red is forgotten.");
    expect(several.signedOut.map(({ network, account }) => [network, account.name])).toEqual([["red", "ann on red"]]);
    expect((await stage!.network.port.logins()).map(({ network }) => network)).toEqual(["blue"]);
    // The only one left needs no name.
    expect(await chat.type("logout")).toBe("Signed out; ann on blue is forgotten.");
    expect(await stage!.network.port.logins()).toEqual([]);
  });

  it("finds them all after a restart", async () => {
    const several = new Several({ now: redAndBlue });
    const chat = await open(several);
    await chat.type("login red");
    await chat.type("login blue");
    several.signedIn.length = 0;
    await stage!.stop();
    await stage!.start();
    expect(several.signedIn.map(({ network, account }) => [network, account.secret["word"]])).toEqual([
      ["blue", "s3cret of blue"],
      ["red", "s3cret of red"],
    ]);
    await stage!.network.port.endLogin(several.signedIn[0]!.id, "so it is");
    expect((await stage!.network.port.logins()).map(({ network }) => network)).toEqual(["red"]);
  });

  it("keeps the accounts of a database that knew one for each person", async () => {
    const networks: { now: AccountNetworks | undefined } = { now: undefined };
    const several = new Several(networks);
    const chat = await open(several);
    expect(await chat.type("login")).toBe("Signed in as ann on red.");
    const [before] = several.signedIn;
    await stage!.stop();
    const database = new Database(join(stage!.directory, "data", "trestle.db"));
    const version = Number(database.pragma("user_version", { simple: true }));
    const later = ["policy_list", "policy_rule", "policy_absent", "former_lane", "login_begun"].map(
      (table) => `DROP TABLE ${table};`,
    );
    database.exec(`${later.join("")} ALTER TABLE login DROP COLUMN network; PRAGMA user_version = ${version - 4}`);
    database.close();
    networks.now = redAndBlue;
    await stage!.start();
    const found = several.signedIn.at(-1);
    expect(found).toEqual({ ...before, network: "red" });
    expect(await chat.type("login red")).toMatch(/signed in already/);
    expect(await chat.type("login blue")).toBe("Signed in as ann on blue.");
    await stage!.network.port.renewLogin(found!.id, { network: "red", word: "new" });
    expect(await chat.type("logout red")).toBe("Signed out; ann on red is forgotten.");
    expect(several.signedOut.at(-1)?.account.secret["word"]).toBe("new");
    expect(await chat.type("login red")).toBe("Signed in as ann on red.");
    expect((await stage!.network.port.logins()).map(({ network }) => network)).toEqual(["blue", "red"]);
  });
});
