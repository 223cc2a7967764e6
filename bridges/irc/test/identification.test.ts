import { afterEach, beforeEach, describe, expect, it, jest } from "@jest/globals";
import { Identification } from "../dist/session/sasl/identification.js";
import type { SignInResult } from "../dist/session/sasl/credentials.js";
import { parseMessage } from "../dist/wire/message.js";

let written: string[];
let results: SignInResult[];
let identification: Identification;

function begin(through = "NICKSERV", password = "s3cret"): void {
  written = [];
  results = [];
  identification = new Identification({
    credentials: { method: "password", account: "alice", password },
    through,
    isOwn: (nick) => nick === "alice_",
    fold: (text) => text.toLowerCase(),
    write: (line) => void written.push(line),
    done: (result) => void results.push(result),
  });
  identification.begin();
}

function hear(...lines: readonly string[]): void {
  for (const line of lines) {
    const message = parseMessage(line);
    if (message) identification.take(message);
  }
}

const TAKEN = ":irc.test PONG irc.test trestle-identify";
const INVALID = ":NickServ!s@services.test NOTICE alice_ :Invalid password for \x02alice\x02.";

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  identification.end();
  jest.useRealTimers();
});

describe("signing in by a command", () => {
  it("is what people type, and asks for a sign that it was taken", () => {
    begin();
    expect(written).toEqual(["NICKSERV IDENTIFY alice s3cret", "PING trestle-identify"]);
    begin("NickServ@services.example.net");
    expect(written[0]).toBe("PRIVMSG NickServ@services.example.net :IDENTIFY alice s3cret");
  });

  it.each([
    [":irc.test 900 alice_ alice_!a@h Alice :You are now logged in as Alice", "Alice"],
    [":alice_!a@h ACCOUNT Alice", "Alice"],
    [":NickServ MODE alice_ +r", "alice"],
    [":NickServ MODE alice_ -x+ir", "alice"],
  ])("succeeds by %s", (line, account) => {
    begin();
    hear(line);
    expect(results).toEqual([{ signedIn: true, account, mechanism: "IDENTIFY" }]);
  });

  it.each([
    ":mallory!a@h ACCOUNT Alice",
    ":alice_!a@h ACCOUNT *",
    ":NickServ MODE alice_ +i-r",
    ":NickServ MODE mallory +r",
    ":NickServ!s@services.test NOTICE alice_ :You are now identified for alice.",
  ])("does not believe %s", (line) => {
    begin();
    hear(TAKEN, line);
    expect(results).toEqual([]);
  });

  it("is refused by the service, not by who is called like it while the service is away", () => {
    begin();
    hear(INVALID);
    expect(results).toEqual([]);
    hear(":irc.test 401 alice_ NickServ :No such nick");
    expect(results).toEqual([{ signedIn: false, rejected: false, reason: expect.stringMatching(/asked now/) }]);
    begin();
    hear(INVALID, TAKEN);
    expect(results).toEqual([{ signedIn: false, rejected: true, reason: "Invalid password for alice." }]);
    begin();
    hear(TAKEN, INVALID.replace("NickServ", "mallory"));
    expect(results).toEqual([]);
    hear(INVALID);
    expect(results).toHaveLength(1);
  });

  it.each([
    "Password incorrect.",
    "Invalid password for alice.",
    "alice is not a registered nickname.",
    "Nick alice isn't registered.",
    "Account alice has not been registered.",
    "Incorrect password; please try again.",
  ])("understands %s", (text) => {
    begin();
    hear(TAKEN, `:NickServ!s@services.test NOTICE alice_ :${text}`);
    expect(results).toEqual([{ signedIn: false, rejected: true, reason: text }]);
  });

  it("waits for so long and no longer, and repeats no password", () => {
    begin();
    hear(
      TAKEN,
      ":NickServ!s@services.test NOTICE alice_ :This nickname is registered. Please identify, e.g. IDENTIFY s3cret",
    );
    jest.advanceTimersByTime(14_000);
    expect(results).toEqual([]);
    jest.advanceTimersByTime(2_000);
    expect(results).toEqual([
      { signedIn: false, rejected: false, reason: expect.stringMatching(/did not confirm.*IDENTIFY \*\*\*/) },
    ]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each(["two words", ":colon", "line\r\nQUIT", "nul\0", ""])(
    "sends nothing of a password such as %j",
    (password) => {
      begin("NICKSERV", password);
      expect(written).toEqual([]);
      expect(results).toEqual([{ signedIn: false, rejected: false, reason: expect.stringMatching(/spaces/) }]);
    },
  );
});
