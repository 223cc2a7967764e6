import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { LoginId, UserId, type LoginAccount } from "@trestle/core";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import { FakeAccountServer, PASSWORD } from "../support/fake-account-server.js";
import { FakeCore } from "../support/fake-core.js";
import { FakeServer, SECRET } from "../support/fake-server.js";
import { RunningBridge } from "../support/running-bridge.js";

const user = UserId("@alice:example.org");

describe("what is said to an account", () => {
  const archive = new Map<string, string>();
  const heard: string[] = [];
  let core: FakeCore;
  let server: FakeServer;
  let clients: FakeAccountServer;
  let bridge: RunningBridge;
  beforeEach(async () => {
    archive.clear();
    heard.length = 0;
    core = new FakeCore();
    Object.assign(core.network, {
      receive: async (event: { readonly wire?: unknown }) => void heard.push(JSON.stringify(event.wire)),
    });
    server = await FakeServer.start();
    clients = await FakeAccountServer.start({ archive });
    const servers = { localhost: { host: "127.0.0.1", port: clients.port, security: "none" as const } };
    bridge = await RunningBridge.start({
      server: { component: "bridge.test", secret: SECRET, componentPort: server.port } as unknown as XmppServer,
      ...{ rooms: [], core, config: { accounts: { enabled: true, servers } } },
    });
  });
  afterEach(async () => {
    await bridge.close();
    await clients.stop();
    await server.stop();
  });

  const says = (id: string, body: string) =>
    archive.set(
      id,
      `<message xmlns='jabber:client' type='chat' from='bob@localhost/x' to='alice@localhost' id='${id}'><body>${body}</body></message>`,
    );
  const signIn = async (): Promise<LoginAccount> => {
    const account = await bridge.handlers.login?.({
      user,
      ask: async (fields) =>
        Object.fromEntries(fields.map(({ id }) => [id, id === "password" ? PASSWORD : "alice@localhost"])) as never,
      say: async () => undefined,
      signal: new AbortController().signal,
    });
    if (!account) throw new Error("nobody can sign in");
    return account;
  };
  /** The account is there for the first time. */
  const comes = async (account: LoginAccount) => {
    await bridge.handlers.signedIn?.({ id: LoginId("1"), user, account });
    await core.until("the end of what was missed", () => heard.some((wire) => wire.includes("the last")));
  };
  const told = () => heard.flatMap((wire) => /<body>([^<]*)</.exec(wire)?.[1] ?? []);

  it("is taken since its owner signed in, and not before", async () => {
    says("1", "before");
    const account = await signIn();
    says("2", "before it was there");
    says("3", "the last");
    await comes(account);
    expect(told()).toEqual(["before it was there", "the last"]);
  });

  it("is all taken where nothing was there when its owner signed in", async () => {
    const account = await signIn();
    says("1", "the first");
    says("2", "the last");
    await comes(account);
    expect(told()).toEqual(["the first", "the last"]);
  });

  it("is no reason to let nobody in where the archive cannot be read", async () => {
    clients.options = {};
    const account = await signIn();
    clients.options = { archive };
    expect(account.name).toBe("alice@localhost");
    says("1", "nobody knows when");
    await bridge.handlers.signedIn?.({ id: LoginId("1"), user, account });
    const session = await clients.session(1);
    await session.receives("the question for the archive", /<before\/>/);
    says("2", "the last");
    session.send(archive.get("2") ?? "");
    await core.until("what is said now", () => told().includes("the last"));
    expect(told()).toEqual(["the last"]);
  });
});
