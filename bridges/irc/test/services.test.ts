import { expect, it } from "@jest/globals";
import { ChannelId } from "@trestle/core";
import { IrcPerson } from "../../../test/support/irc-person.js";
import { realServers } from "../../../test/support/servers/index.js";
import { NetworkWithServices } from "./support/atheme.js";
import { networkOn, RunningBridge } from "./support/running-bridge.js";
import { signIn } from "./support/sign-in.js";

const servers = await realServers("inspircd", "atheme");
const PASSWORD = "s3cr:et,p=w";

servers.describe("InspIRCd with Atheme", ({ inspircd, atheme }) => {
  it("signs puppets in, and tells who people are", async () => {
    const network = await NetworkWithServices.start(inspircd, atheme.command);
    const { port } = network.server;
    const person = await IrcPerson.connect({ port, nick: "walter", capabilities: ["account-tag", "message-tags"] });
    await person.join("#room");
    person.say("NickServ", `REGISTER ${PASSWORD} walter@example.org`);
    await person.waitForLine(
      "the account",
      ({ nick, params }) => nick === "NickServ" && /registered/.test(params[1] ?? ""),
    );
    const bridge = await RunningBridge.start({
      networks: [networkOn(port)],
      channels: ["net/#room"],
      config: { onStop: "quit" },
    });
    await bridge.ready();
    await bridge.core.until("walter", () => bridge.core.membership().length > 0);
    expect(bridge.core.membership()).toEqual(["join net/$walter"]);
    await expect(signIn(bridge, { answers: { account: "walter", password: "wrong" } })).rejects.toThrow(/failed/i);
    await signIn(bridge, { answers: { account: "walter", password: PASSWORD } });
    await bridge.say({ channel: ChannelId("net/#room"), text: "hello", name: "Alice" });
    const said = await person.waitForUtterance("the message", ({ text }) => text === "hello");
    expect(said.tags.get("account")).toBe("walter");
    await bridge.end();
    await person.quit();
    await network.stop();
  }, 120_000);

  it("signs puppets in by a command where the server has no SASL", async () => {
    const network = await NetworkWithServices.start(inspircd, atheme.command, { sasl: false });
    const { port } = network.server;
    const person = await IrcPerson.connect({ port, nick: "walter", capabilities: ["account-tag", "message-tags"] });
    await person.join("#room");
    person.say("NickServ", `REGISTER ${PASSWORD} walter@example.org`);
    await person.waitForLine(
      "the account",
      ({ nick, params }) => nick === "NickServ" && /registered/.test(params[1] ?? ""),
    );
    for (const identify of ["NICKSERV", "NickServ@services.test"]) {
      const bridge = await RunningBridge.start({
        networks: [networkOn(port, { identify })],
        channels: ["net/#room"],
        config: { onStop: "quit" },
      });
      await bridge.ready();
      await expect(signIn(bridge, { answers: { account: "walter", password: "wrong" } })).rejects.toThrow(
        /Invalid password/,
      );
      await signIn(bridge, { answers: { account: "walter", password: PASSWORD } });
      await bridge.say({ channel: ChannelId("net/#room"), text: `by ${identify}`, name: "Alice" });
      const said = await person.waitForUtterance("the message", ({ text }) => text === `by ${identify}`);
      expect(said.tags.get("account")).toBe("walter");
      await bridge.end();
    }
    await person.quit();
    await network.stop();
  }, 120_000);
});
