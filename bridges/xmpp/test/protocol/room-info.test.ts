import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import {
  readDiscoInfo,
  readRoomInfo,
  writeDiscoInfo,
  writeRoomInfo,
  type RoomInfo,
} from "../../dist/protocol/index.js";
import { xml } from "../content/support.js";

const told = fc.stringMatching(/^[A-Za-z<&>"' ]{1,20}$/);
const room: fc.Arbitrary<RoomInfo> = fc.record(
  {
    name: told,
    description: told,
    subject: told,
    occupants: fc.nat(),
    language: fc.constantFrom("en", "de"),
    avatarHash: fc.constant("a".repeat(40)),
    canChangeSubject: fc.boolean(),
    isMembersOnly: fc.boolean(),
    isModerated: fc.boolean(),
    isNonAnonymous: fc.boolean(),
    hasPassword: fc.boolean(),
    isPersistent: fc.boolean(),
    isHidden: fc.boolean(),
    hasArchive: fc.boolean(),
    hasStanzaIds: fc.boolean(),
    hasOccupantIds: fc.boolean(),
    hasStableIds: fc.boolean(),
    moderation: fc.subarray(["now", "before"] as const),
  },
  {
    requiredKeys: [
      "isMembersOnly",
      "isModerated",
      "isNonAnonymous",
      "hasPassword",
      "isPersistent",
      "isHidden",
      "hasArchive",
      "hasStanzaIds",
      "hasOccupantIds",
      "hasStableIds",
      "moderation",
    ],
  },
);

describe("what a room tells of itself", () => {
  it("is read as it was written", () => {
    fc.assert(
      fc.property(room, (given) => {
        expect(readRoomInfo(readDiscoInfo(xml(writeDiscoInfo(writeRoomInfo(given)).toString())))).toEqual(given);
      }),
      { seed: 20261122, numRuns: 500 },
    );
  });

  it("is read as Prosody tells it", () => {
    const info = readDiscoInfo(
      xml(
        "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='conference' type='text' name='Coven'/><feature var='http://jabber.org/protocol/muc'/><feature var='muc_semianonymous'/><feature var='muc_moderated'/><feature var='urn:xmpp:mam:2'/><feature var='urn:xmpp:sid:0'/><feature var='urn:xmpp:message-moderate:0'/><x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/muc#roominfo</value></field><field var='muc#roominfo_occupants'><value>3</value></field><field var='muc#roominfo_description'><value/></field></x></query>",
      ),
    );
    expect(readRoomInfo(info)).toMatchObject({
      name: "Coven",
      occupants: 3,
      isModerated: true,
      isNonAnonymous: false,
      hasArchive: true,
      hasStanzaIds: true,
      hasOccupantIds: false,
      moderation: ["before"],
    });
  });

  it("is nothing where it is no room", () => {
    const server =
      "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='server' type='im'/></query>";
    expect(readRoomInfo(readDiscoInfo(xml(server)))).toBeUndefined();
  });
});
