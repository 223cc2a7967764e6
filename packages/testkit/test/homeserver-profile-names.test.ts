import { describe, expect, it } from "@jest/globals";
import { Homeserver, HomeserverProcess, profileNames } from "@trestle/testkit";
import { registration } from "./homeserver-support.js";

describe("the profiles by name", () => {
  it("construct wants a registration of its own shape", async () => {
    const hs = await Homeserver.start({ profile: "construct" });
    expect(() => hs.addAppService(registration(null))).toThrow("sender_localpart");
    expect(hs.addAppService(registration(null, { id: "ircbot" }))).toMatchObject({ id: "ircbot" });
    await hs.stop();
  });

  it("has names, and refuses others", async () => {
    expect(profileNames).toEqual(["spec", "synapse", "dendrite", "tuwunel", "construct"]);
    await expect(HomeserverProcess.start({ profile: "conduit" })).rejects.toThrow("profile: expected one of spec");
  });
});
