import type { ContentUri, Network } from "@trestle/core";
import type { Photo } from "./protocol/index.js";

/** Larger ones do not pass all servers within a stanza: they are a link. In bytes. */
const largestPhoto = 128 * 1024;

/** A picture of Matrix as vCards have it: its bytes, or a link to it where it is large. `undefined` where it cannot be had. */
export async function readPicture(network: Network, picture: ContentUri): Promise<Photo | undefined> {
  const data = await bytesOf(network, picture).catch((error: unknown) => {
    network.log.info({ err: error, picture }, "A picture of Matrix could not be read");
    return undefined;
  });
  if (data) return data;
  const url = network.avatarLink(picture);
  return url === undefined ? undefined : { from: "url", url };
}

async function bytesOf(network: Network, picture: ContentUri): Promise<Photo | undefined> {
  const { stream, mimeType, size } = await network.openMedia(picture);
  const pieces: Buffer[] = [];
  let bytes = 0;
  try {
    if (!mimeType.startsWith("image/") || (size ?? 0) > largestPhoto) return undefined;
    for await (const piece of stream) {
      const buffer = Buffer.from(piece as Uint8Array);
      bytes += buffer.length;
      if (bytes > largestPhoto) return undefined;
      pieces.push(buffer);
    }
  } finally {
    stream.destroy();
  }
  return { from: "data", mimeType, data: Buffer.concat(pieces) };
}
