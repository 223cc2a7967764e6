import { Readable } from "node:stream";
import { parseJson, RemoteUserId, type RemoteAvatar, type RemoteUser } from "@trestle/core";
import { z } from "zod";
import { parseJid, unescapeNode } from "../address/index.js";
import { cleanXmlLine, element, ns, readIq, type XmlElement } from "../content/index.js";
import {
  avatarId,
  isAvatarMetadata,
  pubsubRequest,
  readAvatarData,
  readAvatarMetadata,
  type Photo,
  type VCard,
} from "../protocol/index.js";
import { xml } from "../stream/index.js";
import type { PeopleParts } from "./parts.js";
import { Recent } from "./recent.js";

/** In bytes: what may be a picture of a person. */
const largestPicture = 1024 * 1024;
const scheme = "avatar:";

/** What is known of somebody. */
interface Profile {
  readonly name?: string;
  readonly avatar?: RemoteAvatar;
  /** Until when it is believed, in milliseconds since 1970. */
  readonly until: number;
}

/** Where a picture is: in the vCard, or published to `reader`. */
const placeSchema = z.object({ person: z.string(), id: z.string(), reader: z.string().optional() });
type Place = Readonly<z.output<typeof placeSchema>>;

interface Picture {
  readonly data: Buffer;
  readonly mimeType?: string;
}

/** Names and pictures of people on XMPP: asked of their servers once in a while, and when they say that something changed. */
export class Profiles {
  readonly #known = new Recent<Profile>(5_000);
  /** What they say in their messages and presences that they are called (XEP-0172). */
  readonly #nicks = new Recent<string>(5_000);
  readonly #asking = new Map<string, Promise<Profile>>();
  /** Pictures that the core will ask for next. */
  readonly #pictures = new Recent<Picture>(16);

  constructor(private readonly parts: PeopleParts) {}

  /** Who a person is. Never rejects: where nothing can be had they are called by their address. */
  async of(person: string, told?: string): Promise<RemoteUser> {
    if (told !== undefined) this.#nicks.set(person, cleanXmlLine(told).slice(0, 200));
    const known = this.#known.get(person);
    const profile = known && known.until > Date.now() ? known : await this.#ask(person);
    return {
      id: RemoteUserId(person),
      name: this.#nicks.get(person) || profile.name || nameIn(person),
      ...(profile.avatar && { avatar: profile.avatar }),
    };
  }

  /** They said something about themselves. Resolves with who they are now where that is something new. */
  async told(
    person: string,
    news: { readonly nick?: string | undefined; readonly avatarHash?: string | undefined },
  ): Promise<RemoteUser | undefined> {
    const before = this.#known.get(person);
    const isNewNick = news.nick !== undefined && cleanXmlLine(news.nick).slice(0, 200) !== this.#nicks.get(person);
    const isNewPicture = news.avatarHash !== undefined && news.avatarHash !== pictureOf(before);
    if (!isNewNick && !isNewPicture) return undefined;
    if (isNewPicture && news.avatarHash === "")
      this.#known.set(person, { ...(before ?? { until: 0 }), avatar: noPicture });
    else if (isNewPicture) this.#known.delete(person);
    return this.of(person, news.nick);
  }

  /** A picture changed that is published (XEP-0084) to `reader`, an address of ours. */
  async published(person: string, metadata: XmlElement, reader: string): Promise<RemoteUser | undefined> {
    if (!isAvatarMetadata(metadata)) return undefined;
    const [info] = readAvatarMetadata(metadata);
    const before = this.#known.get(person);
    if ((info?.id ?? "") === pictureOf(before)) return undefined;
    const avatar: RemoteAvatar =
      info === undefined ? noPicture : { id: info.id, url: info.url ?? referenceOf({ person, id: info.id, reader }) };
    this.#known.set(person, { until: Date.now() + this.parts.tuning.profileMs, ...before, avatar });
    return this.of(person);
  }

  /** Opens a picture that the core was told of; rejects where it is gone. */
  async open(
    reference: string,
  ): Promise<{ readonly stream: Readable; readonly mimeType?: string; readonly size: number }> {
    const place = reference.startsWith(scheme) ? parseJson(reference.slice(scheme.length), placeSchema) : undefined;
    if (!place) throw new Error(`${reference.slice(0, 300)} is nothing that can be opened`);
    let picture = this.#pictures.get(place.id);
    if (!picture) {
      await this.#ask(place.person);
      picture = this.#pictures.get(place.id) ?? (await this.#published(place));
    }
    if (!picture) throw new Error(`The picture of ${place.person} is not there any more`);
    const { data, mimeType } = picture;
    return { stream: Readable.from([data]), size: data.length, ...(mimeType !== undefined && { mimeType }) };
  }

  #ask(person: string): Promise<Profile> {
    const asking = this.#asking.get(person);
    if (asking) return asking;
    const asked = this.#load(person).finally(() => this.#asking.delete(person));
    this.#asking.set(person, asked);
    return asked;
  }

  async #load(person: string): Promise<Profile> {
    const { tuning } = this.parts;
    const payload = await this.#request(person, element("vCard", { xmlns: ns.vcard }));
    const what = payload && readIq(payload).what;
    const before = this.#known.get(person);
    const card = what?.kind === "vcard" ? what.card : undefined;
    const profile: Profile = card
      ? { ...this.#profileOf(person, card), until: Date.now() + tuning.profileMs }
      : { ...before, until: Date.now() + tuning.profileFailedMs };
    this.#known.set(person, profile);
    return profile;
  }

  #profileOf(person: string, { nickname, fullName, photo }: VCard): Omit<Profile, "until"> {
    const name = cleanXmlLine(nickname ?? fullName ?? "").slice(0, 200);
    const avatar = photo && this.#avatarOf(person, photo);
    return { ...(name !== "" && { name }), ...(avatar && { avatar }) };
  }

  #avatarOf(person: string, photo: Photo): RemoteAvatar | undefined {
    if (photo.from === "url") return /^https:\/\//i.test(photo.url) ? { id: photo.url, url: photo.url } : undefined;
    if (photo.data.length > largestPicture) return undefined;
    const id = avatarId(photo.data);
    this.#pictures.set(id, photo);
    return { id, url: referenceOf({ person, id }) };
  }

  async #published({ person, id, reader }: Place): Promise<Picture | undefined> {
    const payload = await this.#request(person, pubsubRequest(ns.avatarData, { ids: [id] }), reader);
    const what = payload && readIq(payload).what;
    const item = what?.kind === "pubsub" ? what.items.items[0]?.payload : undefined;
    const data = item && readAvatarData(item, id);
    return data && data.length <= largestPicture ? { data } : undefined;
  }

  async #request(person: string, payload: XmlElement, reader?: string): Promise<XmlElement | undefined> {
    const { stream, tuning } = this.parts;
    const iq = xml("iq", { type: "get", from: reader ?? stream.address, to: person }, payload);
    const answer = await stream.request(iq, { timeoutMs: tuning.profileTimeoutMs });
    return answer.kind === "result" ? answer.stanza : undefined;
  }
}

function referenceOf(place: Place): string {
  return `remote:${scheme}${JSON.stringify(place)}`;
}

const noPicture: RemoteAvatar = { id: "", url: "" };

function pictureOf(profile: Profile | undefined): string | undefined {
  return profile && (profile.avatar?.id ?? "");
}

/** What one can call somebody of whom only the address is known. */
function nameIn(person: string): string {
  const local = parseJid(person)?.local;
  return local === undefined ? person : unescapeNode(local);
}
