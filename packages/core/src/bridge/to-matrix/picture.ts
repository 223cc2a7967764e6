import { isRecord } from "../../appservice/event.js";
import type { RemoteAvatar } from "../../connector/events.js";
import { dead, type Entry, type Verdict } from "../../delivery/entry.js";
import type { Room } from "../../mapping/rooms.js";
import type { TransferredMedia } from "../../media/transfer.js";
import { classify } from "../../matrix/failure.js";
import type { BridgeRuntime } from "../runtime.js";
import type { MatrixMedia, Uploaded } from "./media.js";
import { verdictOf } from "./send.js";

/** A picture that cannot be had holds up what comes behind it no longer than for so many attempts. */
const mostAttempts = 3;

/** Gives a room the picture of its channel; `undefined` where it has it now. */
export async function applyPicture(
  runtime: BridgeRuntime,
  media: Pick<MatrixMedia, "uploadPicture">,
  target: { readonly entry: Entry; readonly room: Room; readonly channelKey: number },
  picture: RemoteAvatar,
): Promise<Verdict | undefined> {
  const { entry, room, channelKey } = target;
  const uploaded: Uploaded | undefined =
    picture.url === ""
      ? undefined
      : await media.uploadPicture(picture, `picture of ${channelKey}: ${picture.id}`, runtime.bot);
  if (uploaded && "refused" in uploaded)
    return dead(`The picture of the channel could not be taken over: ${uploaded.refused}.`);
  if (uploaded && "verdict" in uploaded) return unlessTooOften(entry, uploaded.verdict);
  const current = await runtime.client.getState({ room: room.id, type: "m.room.avatar" });
  if (!current.ok && classify(current.failure).action === "retry") return verdictOf(current.failure);
  const url = uploaded?.media.uri ?? "";
  const shown = current.ok && isRecord(current.body) ? (current.body["url"] ?? "") : "";
  // The room shows it already: either it was set from here, or an earlier attempt succeeded.
  if (current.ok && shown === url) return undefined;
  const content = uploaded ? contentOf(uploaded.media) : {};
  const set = await runtime.client.sendState({ room: room.id, type: "m.room.avatar", content });
  if (set.ok) return undefined;
  if (classify(set.failure).action === "retry") return verdictOf(set.failure);
  return dead("The bridge bot may not set the picture of the room. Give it the power to, or ignore this.");
}

function unlessTooOften(entry: Entry, verdict: Verdict): Verdict {
  const isHomeserverAway = verdict.verdict === "retry" && verdict.transport === true;
  if (verdict.verdict !== "retry" || isHomeserverAway || entry.attempts + 1 < mostAttempts) return verdict;
  return dead(`The picture of the channel could not be had: ${verdict.reason}.`);
}

function contentOf({ uri, mimeType, size, width, height }: TransferredMedia): Readonly<Record<string, unknown>> {
  const pixels = width !== undefined && height !== undefined ? { w: width, h: height } : {};
  return { url: uri, info: { mimetype: mimeType, size, ...pixels } };
}
