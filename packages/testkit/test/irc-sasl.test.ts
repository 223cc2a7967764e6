import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { createRequire } from "node:module";
import { afterEach, describe, expect, it } from "@jest/globals";
import { type IrcTestClient, selfSignedCertificate } from "../dist/irc/index.js";
import { scramCredentials, ScramServer } from "../dist/irc/sasl/scram.js";
import { ask, Party } from "./irc-support.js";

let party: Party | undefined;

afterEach(async () => {
  await party?.end();
  party = undefined;
});

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const hmac = (key: Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

/** A SCRAM-SHA-256 client of RFC 5802, on its own: what it proves and what the server must sign. */
function prove(password: string, bare: string, challenge: string): { final: string; signature: string } {
  const [, nonce = "", salt = "", iterations = ""] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(challenge) ?? [];
  const salted = pbkdf2Sync(password, Buffer.from(salt, "base64"), Number(iterations), 32, "sha256");
  const clientKey = hmac(salted, "Client Key");
  const said = `${bare},${challenge},c=biws,r=${nonce}`;
  const signature = hmac(createHash("sha256").update(clientKey).digest(), said);
  const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
  return {
    final: `c=biws,r=${nonce},p=${Buffer.from(proof).toString("base64")}`,
    signature: hmac(hmac(salted, "Server Key"), said).toString("base64"),
  };
}

/** Signs in; returns the numerics of the end and whether the server proved that it knows the password. */
async function signIn(client: IrcTestClient, password: string): Promise<{ end: string[]; proven: boolean }> {
  const bare = "n=alice,r=fyko+d2lbbFgONRv9qkxdawL";
  await ask(client, "AUTHENTICATE SCRAM-SHA-256");
  const [challenge] = await ask(client, `AUTHENTICATE ${base64(`n,,${bare}`)}`);
  const { final, signature } = prove(password, bare, Buffer.from(challenge?.params[0] ?? "", "base64").toString());
  const answer = await ask(client, `AUTHENTICATE ${base64(final)}`);
  if (answer[0]?.command !== "AUTHENTICATE") return { end: answer.map(({ command }) => command), proven: false };
  const proven = answer[0].params[0] === base64(`v=${signature}`);
  return { end: (await ask(client, "AUTHENTICATE +")).map(({ command }) => command), proven };
}

describe("SCRAM-SHA-256", () => {
  it("is that of the example in RFC 7677", () => {
    const server = new ScramServer({
      credentialsOf: (name) =>
        name === "user"
          ? scramCredentials("pencil", Buffer.from("W22ZaJ0SNY7soEsUEjb6gQ==", "base64"), 4096)
          : undefined,
      accountOf: (name) => name,
      nonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
    });
    const say = (text: string): string => {
      const step = server.step(Buffer.from(text));
      return step.kind === "challenge" ? step.data.toString() : step.kind;
    };
    expect(say("n,,n=user,r=rOprNGfwEbeRWgbNEkqO")).toBe(
      "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    );
    expect(
      say("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
    ).toBe("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    expect(say("")).toBe("done");
  });

  it("refuses channel binding, extensions that must be understood, another nonce and another header", () => {
    const begin = (text: string): string =>
      new ScramServer({ credentialsOf: () => scramCredentials("p"), accountOf: (name) => name, nonce: "s" }).step(
        Buffer.from(text),
      ).kind;
    expect(begin("n,,n=user,r=c")).toBe("challenge");
    expect(begin("y,a=user,n=user,r=c")).toBe("challenge");
    for (const bad of [
      "p=tls-unique,,n=user,r=c",
      "n,,m=x,n=user,r=c",
      "n,a=root,n=user,r=c",
      "n,,n=user,r=",
      "junk",
      "",
    ])
      expect({ bad, kind: begin(bad) }).toEqual({ bad, kind: "failed" });
  });

  it("signs in, proves that the server knows the password, and refuses a wrong one", async () => {
    party = await Party.start({ accounts: { alice: "sesame" } });
    const client = await party.person("alice", ["sasl"]);
    expect(await signIn(client, "open")).toEqual({ end: ["904"], proven: false });
    expect(await signIn(client, "sesame")).toEqual({ end: ["900", "903"], proven: true });
    party.irc.forgeScram(true);
    expect((await signIn(client, "sesame")).proven).toBe(false);
  });
});

describe("SASL", () => {
  it("offers what the accounts can use and the options allow", async () => {
    const offer = async (options: Parameters<typeof Party.start>[0]): Promise<string | undefined> => {
      const here = await Party.start(options);
      const line = (await ask(await here.person("alice"), "CAP LS 302"))[0]?.params.at(-1);
      await here.end();
      return line?.split(" ").find((one) => one.startsWith("sasl"));
    };
    const alice = { password: "sesame", fingerprints: ["ab"] };
    expect(await offer({})).toBeUndefined();
    expect(await offer({ accounts: { alice } })).toBe("sasl=PLAIN,EXTERNAL,SCRAM-SHA-256");
    expect(await offer({ accounts: { alice: { fingerprints: ["ab"] } } })).toBe("sasl=EXTERNAL");
    expect(await offer({ accounts: { alice }, saslMechanisms: ["PLAIN"] })).toBe("sasl=PLAIN");
    expect(await offer({ accounts: { alice }, without: ["sasl"] })).toBeUndefined();
  });

  it("PLAIN refuses what is malformed, another's authorization and unknown accounts", async () => {
    party = await Party.start({ accounts: { alice: "sesame", bob: "pass" } });
    const client = await party.person("eve", ["sasl"]);
    for (const blob of [
      "\0alice\0open",
      "bob\0alice\0sesame",
      "alice\0sesame",
      "\0eve\0sesame",
      "\0alice\0sesame\0x",
    ]) {
      const lines = await ask(client, "AUTHENTICATE PLAIN", `AUTHENTICATE ${base64(blob)}`);
      expect({ blob, last: lines.at(-1)?.command }).toEqual({ blob, last: "904" });
    }
    expect((await ask(client, "AUTHENTICATE PLAIN", "AUTHENTICATE not=base64")).at(-1)?.command).toBe("904");
    const lines = await ask(client, "AUTHENTICATE PLAIN", `AUTHENTICATE ${base64("ALICE\0ALICE\0sesame")}`);
    expect(lines.at(-1)?.command).toBe("903");
    expect(lines.at(-2)?.params[2]).toBe("alice");
  });

  it("is aborted by CAP END, and can be left hanging by the server", async () => {
    party = await Party.start({ accounts: { alice: "sesame" } });
    party.irc.stallSasl(true);
    const hanging = party.person("alice", [], { account: { name: "alice", password: "sesame" }, timeoutMs: 300 });
    await expect(hanging).rejects.toThrow("in vain");
    party.irc.stallSasl(false);
    await party.person("alice", [], { account: { name: "alice", password: "sesame" } });
  });
});

/** As much of irc-framework, a client that others wrote, as is used here. */
interface ForeignClient {
  connect(options: Record<string, unknown>): void;
  quit(reason: string): void;
  once(event: string, listener: (event: Record<string, unknown>) => void): void;
}

describe("irc-framework as the client", () => {
  const { Client } = createRequire(import.meta.url)("irc-framework") as { Client: new () => ForeignClient };

  it("signs in with EXTERNAL, by its certificate alone", async () => {
    const server = selfSignedCertificate();
    const own = selfSignedCertificate({ names: ["frank"] });
    const fingerprint = createHash("sha256").update(own.der).digest("hex");
    party = await Party.start({ tls: server, accounts: { frank: { fingerprints: [fingerprint] } } });
    const connectWith = async (certificate: { key: string; cert: string }): Promise<string> => {
      const foreign = new Client();
      const outcome = new Promise<string>((resolve) => {
        foreign.once("loggedin", ({ account }) => resolve(`signed in as ${String(account)}`));
        foreign.once("sasl failed", ({ reason }) => resolve(`failed: ${String(reason)}`));
      });
      foreign.connect({
        host: "127.0.0.1",
        port: party?.irc.port,
        tls: true,
        rejectUnauthorized: false,
        client_certificate: { private_key: certificate.key, certificate: certificate.cert },
        sasl_mechanism: "EXTERNAL",
        account: { account: "frank" },
        nick: "frank",
        username: "frank",
        auto_reconnect: false,
      });
      const said = await outcome;
      foreign.quit("done");
      return said;
    };
    expect(await connectWith(own)).toBe("signed in as frank");
    expect(await connectWith(selfSignedCertificate())).toContain("failed");
  });
});

describe("NickServ", () => {
  it("registers, identifies, ghosts and regains, and is gone when services are", async () => {
    party = await Party.start({ services: true });
    const alice = await party.person("alice", ["account-notify", "extended-join"]);
    const answers = async (client: IrcTestClient, line: string): Promise<string[]> =>
      (await ask(client, line)).filter(({ command }) => command === "NOTICE").map(({ params }) => params[1] ?? "");
    expect(await answers(alice, "PRIVMSG NickServ :REGISTER sesame a@example.org")).toEqual([
      "alice is now registered.",
    ]);
    const eve = await party.person("eve");
    expect(await answers(eve, "NICKSERV IDENTIFY alice open")).toEqual(["Invalid password for alice."]);
    expect(await answers(eve, "NS GHOST alice open")).toEqual(["Invalid password for alice."]);
    expect(await answers(eve, "NS IDENTIFY alice sesame")).toEqual(["You are now identified for alice."]);
    expect(await answers(eve, "NS REGAIN alice")).toEqual(["alice is now yours."]);
    await alice.waitForLine("Killed (NickServ (REGAIN command used by eve))");
    expect(party.irc.nicks).toEqual(["alice"]);
    expect(party.irc.messagesTo("NickServ").map(({ text }) => text)).toContain("REGISTER sesame a@example.org");
    await expect(party.person("NickServ")).rejects.toThrow(" 433 ");
    party.irc.setServices(false);
    expect((await ask(eve, "PRIVMSG NickServ :IDENTIFY alice sesame"))[0]?.command).toBe("401");
    expect((await ask(eve, "NS IDENTIFY alice sesame"))[0]?.command).toBe("421");
    await party.person("NickServ");
  });
});
