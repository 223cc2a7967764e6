import type { ContentUri, Network } from "@trestle/core";
import { readPicture } from "../matrix-picture.js";
import { avatarId, type Photo } from "../protocol/index.js";

/** The picture of a Matrix room, as the vCard of the room has it (XEP-0486): read when the room has another one. */
export class RoomPicture {
  #followed: ContentUri | undefined;
  #photo: Photo | undefined;
  #hash = "";
  #reading: Promise<void> = Promise.resolve();

  /** `changed`: there is another one, or none any more. */
  constructor(
    private readonly network: Network,
    private readonly changed: () => void,
  ) {}

  /** The SHA-1 of its bytes, in hexadecimal; empty where there is none, or it is not known. */
  get hash(): string {
    return this.#hash;
  }

  /** The room has this picture. What could not be read is tried again the next time. */
  follow(picture: ContentUri | undefined): void {
    if (picture === this.#followed) return;
    this.#followed = picture;
    this.#reading = this.#read(picture);
  }

  /** Waits while it is being read. */
  async photo(): Promise<Photo | undefined> {
    await this.#reading;
    return this.#photo;
  }

  async #read(picture: ContentUri | undefined): Promise<void> {
    const photo = picture === undefined ? undefined : await readPicture(this.network, picture);
    if (this.#followed !== picture) return;
    if (!photo) this.#followed = undefined;
    this.#photo = photo;
    const hash = photo?.from === "data" ? avatarId(photo.data) : "";
    if (hash === this.#hash) return;
    this.#hash = hash;
    this.changed();
  }
}
