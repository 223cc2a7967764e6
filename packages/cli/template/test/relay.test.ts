import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { TestBridge } from "@trestle/cli/testing";
import connector from "../src/index.js";
import { MyNetworkStandIn } from "../src/stand-in.js";

const network = new MyNetworkStandIn();
let bridge: TestBridge;

before(async () => {
  bridge = await TestBridge.start(connector, network);
});

after(async () => {
  await bridge.close();
});

test("a message from Matrix is seen on the network", async () => {
  await bridge.sayOnMatrix("hello from Matrix");
  await bridge.seenOnNetwork("<alice> hello from Matrix");
});

test("a message from the network is seen on Matrix", async () => {
  await bridge.sayOnNetwork("hello from the network");
  await bridge.seenOnMatrix("hello from the network");
});

test("what is said while the bridge is away arrives when it is back, once and in order", async () => {
  await bridge.stop();
  for (const text of ["one", "two", "three"]) {
    await bridge.sayOnMatrix(text);
    await bridge.sayOnNetwork(text);
  }
  await bridge.restart();
  await bridge.seenOnNetwork("<alice> three");
  await bridge.seenOnMatrix("three");
  assert.deepEqual(bridge.textsOnNetwork().slice(-3), ["<alice> one", "<alice> two", "<alice> three"]);
  assert.deepEqual(bridge.textsOnMatrix().slice(-3), ["one", "two", "three"]);
});

test("an outage of the network delays a message and loses nothing", async () => {
  await network.disconnect();
  await bridge.sayOnMatrix("said during the outage");
  await network.reconnect();
  await bridge.seenOnNetwork("<alice> said during the outage");
});
