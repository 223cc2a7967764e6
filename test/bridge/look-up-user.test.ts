import { afterEach, expect, it } from "@jest/globals";
import { UserId } from "@trestle/core";
import { Stage } from "../faults/stage.js";
import { eventually, happens, person, Recorder } from "./recorder.js";

let stage: Stage;
afterEach(() => stage.close());

it("a connector knows who a Matrix user id is, as far as the homeserver says", async () => {
  stage = await Stage.open({ places: 1, network: { handlers: new Recorder().handlers } });
  const { port } = stage.network;
  const find = (user: string) => port.lookUpUser(UserId(user));
  expect(await find(stage.alice.userId)).toEqual({ is: "user" });
  expect(await find("@nobody:faults.test")).toEqual({ is: "nobody" });
  await port.receive(happens({ kind: "membership", change: "join", user: person("Bob/2"), intoRoom: true }));
  const ghost = "@fake_=42ob/2:faults.test";
  await eventually(() => stage.homeserver.userIds().includes(ghost), "the ghost");
  expect(await find(ghost)).toEqual({ is: "own", person: "Bob/2" });
  // Of whom nobody has heard yet.
  expect(await find("@fake_ann:faults.test")).toEqual({ is: "own", person: "ann" });
  expect(await find("@fakebot:faults.test")).toEqual({ is: "own" });
  // Where it cannot be known they count as somebody.
  stage.homeserver.faults.answer({ status: 502 }, { route: "/profile/" });
  expect(await find("@nobody:faults.test")).toEqual({ is: "user" });
});
