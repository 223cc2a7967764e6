import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "@jest/globals";
import { ChannelId, ContentUri, type Outcome } from "@trestle/core";
import { startEjabberd } from "../../../../test/support/servers/ejabberd.js";
import { realServers } from "../../../../test/support/servers/index.js";
import { startProsody } from "../../../../test/support/servers/prosody.js";
import type { SlixmppInstall } from "../../../../test/support/servers/slixmpp.js";
import type { XmppServer } from "../../../../test/support/servers/xmpp-server.js";
import { XmppMetrics } from "../../dist/metrics.js";
import { RoomPicture } from "../../dist/rooms/room-picture.js";
import { xml, type XmppStream } from "../../dist/stream/index.js";
import { FakeCore } from "../support/fake-core.js";
import { SaidStage, USERS } from "../support/said-stage.js";

const prosody = await realServers("prosody", "slixmpp");
const ejabberd = await realServers("ejabberd", "slixmpp");

prosody.describe("the picture of a room of Prosody", (installs) =>
  behaviour(installs.slixmpp, () => startProsody(installs.prosody, { users: USERS })),
);
ejabberd.describe("the picture of a room of ejabberd", (installs) =>
  behaviour(installs.slixmpp, () => startEjabberd(installs.ejabberd, { users: USERS })),
);

const GET = '<vCard xmlns="vcard-temp"/>';
const [one, two] = [Buffer.from("a picture"), Buffer.from("another picture")];
const hashOf = (bytes: Buffer) => createHash("sha1").update(bytes).digest("hex");
const picturesIn = (core: FakeCore, room: string) =>
  core.ofKind("channel", room).flatMap(({ picture }) => (picture ? [picture.id] : []));

function behaviour(install: SlixmppInstall, start: () => Promise<XmppServer>): void {
  let stage: SaidStage;

  beforeAll(async () => {
    stage = await SaidStage.build(install, start);
  }, 60_000);
  afterEach(() => stage.stopBridge());
  afterAll(() => stage.close(), 60_000);

  const card = (room: string, bytes: Buffer | undefined, more = "") => {
    const binval = bytes && `<PHOTO><TYPE>image/png</TYPE><BINVAL>${bytes.toString("base64")}</BINVAL></PHOTO>`;
    return stage.alice.query(room, "set", `<vCard xmlns="vcard-temp">${more}${binval ?? ""}</vCard>`);
  };
  const open = async (core: FakeCore, room: string): Promise<Buffer> => {
    const url = core.ofKind("channel", room).findLast(({ picture }) => picture)?.picture?.url ?? "";
    const { stream } = await stage.handlers.openMedia!(url.replace("remote:", ""));
    const pieces: Uint8Array[] = [];
    for await (const piece of stream) pieces.push(piece as Uint8Array);
    return Buffer.concat(pieces);
  };
  /** Bob sets it on Matrix. */
  const set = async (room: ChannelId, core: FakeCore, bytes: Buffer | undefined): Promise<Outcome> => {
    const picture = ContentUri(`mxc://example.org/${bytes ? hashOf(bytes) : "none"}`);
    if (bytes) core.files.set(picture, { bytes, mimeType: "image/png" });
    return stage.handlers.picture!({ ...stage.effect(room), ...(bytes && { picture }) });
  };
  const hashSeen = (room: string, hash: string) =>
    stage.alice.sees(
      "the picture's hash",
      ({ name, from, xml: text }) => name === "presence" && from === room && text.includes(`photo>${hash}<`),
    );

  it("is told when the room has one, has another, or has none any more, and then only", async () => {
    const { room, core } = await stage.bridged({}, async (made) => {
      await card(made, one);
    });
    await core.until("the picture", () => picturesIn(core, room).length === 1);
    expect(await open(core, room)).toEqual(one);
    await card(room, two);
    await core.until("the other one", () => picturesIn(core, room).length === 2);
    expect(await open(core, room)).toEqual(two);
    await stage.again(core, room);
    await stage.configure(room, { "muc#roomconfig_roomdesc": "set otherwise" });
    await stage.groupchat("that it was configured", room, ({ xml: text }) => text.includes(`code="104"`));
    await card(room, undefined);
    await core.until("that there is none", () => picturesIn(core, room).length === 3);
    expect(picturesIn(core, room)).toEqual([hashOf(one), hashOf(two), ""]);
  });

  it("that was changed or taken away while the bridge was not there is told when it is", async () => {
    const { room, core } = await stage.bridged();
    await card(room, one);
    await core.until("the picture", () => picturesIn(core, room).length === 1);
    await stage.stopBridge();
    await card(room, undefined);
    await stage.again(core, room);
    await core.until("that there is none", () => picturesIn(core, room).length === 2);
    expect(picturesIn(core, room)).toEqual([hashOf(one), ""]);
    await expect(open(core, room)).rejects.toThrow();
  });

  it("is that of the Matrix room where the Matrix user or the bridge is an owner, and is no news then", async () => {
    const { room, core } = await stage.bridged({}, async (made) => {
      await card(made, undefined, "<FN>Hall</FN>");
    });
    expect(await set(room, core, one)).toBeUndefined();
    expect(await stage.alice.query(room, "get", GET)).not.toContain("PHOTO");
    await stage.say(room, "hi");
    await stage.affiliate(room, `bob_example.org@${stage.server.component}`, "owner");
    await stage.alice.sees("Bob an owner", ({ from, xml: text }) => from === `${room}/bob` && text.includes("owner"));
    await core.until("Bob's rank", () =>
      core.ofKind("roles", room).some(({ changes }) => changes.some(({ role }) => role === "owner")),
    );
    expect(await set(room, core, one)).toBeUndefined();
    await hashSeen(room, hashOf(one));
    const now = await stage.alice.query(room, "get", GET);
    expect([now.includes(one.toString("base64")), now.includes("Hall")]).toEqual([true, true]);
    // The same again, as after a crash, and behind a restart.
    expect(await set(room, core, one)).toBeUndefined();
    await stage.again(core, room);
    await stage.said(core, room, "behind", "b1");
    expect(picturesIn(core, room)).toEqual([]);
    expect(await set(room, core, undefined)).toBeUndefined();
    expect(await stage.alice.query(room, "get", GET)).not.toContain("BINVAL");
    await card(room, two);
    await core.until("the picture", () => picturesIn(core, room).length === 1);
    expect(picturesIn(core, room)).toEqual([hashOf(two)]);
  });

  it("stays as it is where that of Matrix is too large for a stanza, or cannot be read; and says so", async () => {
    const { room, core } = await stage.bridged();
    const outcome = await set(room, core, Buffer.alloc(128 * 1024 + 1));
    expect(outcome).toMatchObject({ failed: "permanent", reason: expect.stringContaining("128 KiB") });
  });
}

describe("the picture of a room", () => {
  const room = "hall@rooms.test";
  const shown = (hash: string) =>
    xml("presence", { from: room }, xml("x", { xmlns: "vcard-temp:x:update" }, xml("photo", {}, hash)));
  const begin = async (core: FakeCore, request?: XmppStream["request"]): Promise<RoomPicture> => {
    const { network } = core;
    const stream = { request } as XmppStream;
    const asked = { asker: () => "bridge.test", isPossible: () => request !== undefined };
    const metrics = new XmppMetrics(network.metrics);
    const picture = new RoomPicture({ stream, network, metrics, room, channel: ChannelId(room), ...asked });
    await picture.load();
    return picture;
  };
  const [first, second] = ["a".repeat(40), "b".repeat(40)];

  it("that was being set for Matrix when the bridge was killed is no news when it comes back", async () => {
    const core = new FakeCore();
    await (await begin(core)).setting(first);
    const again = await begin(core);
    expect(again.is(first)).toBe(false);
    await again.presence(shown(first));
    expect([again.is(first), picturesIn(core, room)]).toEqual([true, []]);
    await again.presence(shown(second));
    expect(picturesIn(core, room)).toEqual([second]);
  });

  it("that the disk refused is told when the room tells it again", async () => {
    const core = new FakeCore();
    const picture = await begin(core);
    core.beforeReceive = () => Promise.reject(new Error("the disk is full"));
    await expect(picture.presence(shown(first))).rejects.toThrow("the disk is full");
    core.beforeReceive = () => Promise.resolve();
    await picture.presence(shown(first));
    await picture.presence(shown(first));
    expect(picturesIn(core, room)).toEqual([first]);
  });

  it("that the room tells while it is asked is newer than its answer", async () => {
    const core = new FakeCore();
    const picture: RoomPicture = await begin(core, async () => {
      await picture.presence(shown(first));
      return { kind: "error", error: { type: "cancel", condition: "item-not-found", application: [] } };
    });
    await picture.look();
    expect(picturesIn(core, room)).toEqual([first]);
  });

  it("that the room refused is not the room's", async () => {
    const core = new FakeCore();
    const picture = await begin(core);
    await picture.setting(first);
    await picture.settled(false);
    expect(picture.is("")).toBe(true);
    await picture.presence(shown(first));
    expect(picturesIn(core, room)).toEqual([first]);
  });
});
