import { isFailure, refused, retry, type Failure, type Outcome, type PictureEffect } from "@trestle/core";
import { element, ns, readIq } from "../content/index.js";
import { readPicture } from "../matrix-picture.js";
import { avatarId, writeVCard, type Photo, type VCard } from "../protocol/index.js";
import { failureOf } from "../stream/index.js";
import type { Authority } from "./authority.js";
import type { RoomFeatures } from "./muc.js";
import type { Occupant } from "./occupant.js";
import type { RoomParts } from "./parts.js";
import type { RoomPicture } from "./room-picture.js";

export interface SetPictureOptions {
  readonly parts: RoomParts;
  readonly room: string;
  readonly watcher: Occupant;
  readonly authority: Authority;
  readonly picture: RoomPicture;
  readonly features: () => RoomFeatures;
  readonly whyOut: () => string | undefined;
}

/** XEP-0486 §3.1: only an owner can. Where neither the bridge nor who has set it is one, the room keeps its picture. */
export async function setPicture(options: SetPictureOptions, effect: PictureEffect): Promise<Outcome> {
  const { parts, room, picture, features, whyOut } = options;
  const out = whyOut();
  if (out !== undefined) return retry(out);
  const { log } = parts.network;
  if (!features().card) {
    log.info({ room }, "The picture of a Matrix room is not carried: this room of XMPP can have none");
    return undefined;
  }
  const photo = await photoOf(options, effect);
  if (photo && "failed" in photo) return photo;
  const hash = photo ? avatarId(photo.data) : "";
  if (picture.is(hash)) return undefined;
  const before = await cardOf(options, effect);
  if ("failed" in before) return before;
  const { photo: _before, ...others } = before;
  const card = writeVCard({ ...others, ...(photo && { photo }) });
  await picture.setting(hash);
  const done = await options.authority.attempt(effect, card, `Giving ${room} another picture`);
  if (done !== "denied" && isFailure(done) && done.failed !== "permanent") return done;
  await picture.settled(done === undefined);
  if (done !== "denied") return done;
  log.info({ room }, "A room that neither the bridge nor the Matrix user owns keeps its picture");
  return undefined;
}

/** What a vCard can carry. */
async function photoOf(
  { parts, room }: SetPictureOptions,
  { picture }: PictureEffect,
): Promise<Extract<Photo, { from: "data" }> | Failure | undefined> {
  if (picture === undefined) return undefined;
  const photo = await readPicture(parts.network, picture);
  if (photo?.from === "data") return photo;
  return refused(
    `${room} keeps its picture: that of the Matrix room could not be read, or is no image of up to 128 KiB.`,
  );
}

/** The vCard of the room now: what else is in it stays. */
async function cardOf(
  { parts, room, watcher }: SetPictureOptions,
  { signal }: PictureEffect,
): Promise<VCard | Failure> {
  const iq = { type: "get", from: watcher.jid, to: room };
  const answer = await parts.stream.request(element("iq", iq, element("vCard", { xmlns: ns.vcard })), { signal });
  if (answer.kind === "failure") return retry(answer.failure.reason);
  if (answer.kind === "error")
    return answer.error.condition === "item-not-found" ? {} : failureOf(answer.error, `Reading the vCard of ${room}`);
  const { what } = readIq(answer.stanza);
  return what.kind === "vcard" ? what.card : {};
}
