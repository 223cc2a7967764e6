import { describe, expect, it } from "@jest/globals";
import { Homeserver, HomeserverProcess, profileNames } from "@trestle/testkit";
import { FakeService, registration, ServiceCaller } from "./homeserver-support.js";

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

  it.each(["spec", "synapse"] as const)("%s has the keys of the first specification or not", async (profile) => {
    const service = await FakeService.start();
    const hs = await Homeserver.start({ profile, registrations: [registration(service.url)] });
    const alice = hs.createClient("alice");
    const roomId = await alice.createRoom({ preset: "public_chat" });
    await new ServiceCaller(hs).ghost("irc_bob", roomId);
    await hs.delivered("irc");
    const event = service.events.at(-1)!;
    expect(["age" in event, "user_id" in event]).toEqual(profile === "synapse" ? [true, true] : [false, false]);
    await hs.stop();
    await service.close();
  });
});
