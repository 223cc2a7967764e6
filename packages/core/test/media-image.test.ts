import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { imageSize, mediaType } from "../dist/media/image.js";
import { gif, jpeg, png, webp } from "./support/images.js";

const seed = 20261122;
const side = fc.integer({ min: 1, max: 16_383 });

describe("the size of an image", () => {
  it("is read from the headers of PNG, GIF, JPEG and all three forms of WebP", () => {
    fc.assert(
      fc.property(side, side, (width, height) => {
        expect(imageSize(png(width, height), "image/png")).toEqual({ width, height });
        expect(imageSize(gif(width, height), "image/gif")).toEqual({ width, height });
        expect(imageSize(jpeg(width, height), "image/jpeg")).toEqual({ width, height });
        for (const form of ["VP8 ", "VP8L", "VP8X"] as const) {
          expect(imageSize(webp(form, width, height), "image/webp")).toEqual({ width, height });
        }
      }),
      { seed },
    );
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])("is turned as Exif orientation %i says", (orientation) => {
    const turned = orientation >= 5;
    for (const order of ["II", "MM"] as const) {
      expect(imageSize(jpeg(40, 30, { orientation, order }), "image/jpeg")).toEqual(
        turned ? { width: 30, height: 40 } : { width: 40, height: 30 },
      );
    }
  });

  it("is unknown, never an error, for cut and made-up bytes", () => {
    const types = fc.constantFrom("image/png", "image/gif", "image/jpeg", "image/webp", "image/svg+xml");
    const whole = fc.constantFrom(
      png(5, 6),
      gif(5, 6),
      jpeg(5, 6, { orientation: 6, order: "II" }),
      webp("VP8 ", 5, 6),
      webp("VP8L", 5, 6),
      webp("VP8X", 5, 6),
    );
    fc.assert(
      fc.property(
        whole,
        fc.nat(200),
        fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 5 }),
        types,
        (image, length, changes, type) => {
          const bytes = Buffer.from(image.subarray(0, length));
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
          const size = imageSize(bytes, type);
          if (size !== undefined) expect(size.width > 0 && size.height > 0).toBe(true);
        },
      ),
      { seed, numRuns: 3_000 },
    );
  });
});

describe("the type of a file", () => {
  it.each([
    ["bytes before a wrong claim", png(1, 1), ["image/jpeg"], "image/png"],
    ["bytes before a claim of HTML", gif(1, 1), ["text/html"], "image/gif"],
    ["a claim that the bytes deny", Buffer.from("<html>"), ["image/png"], "application/octet-stream"],
    ["a claim without a way to check it", Buffer.from("PK"), ["application/zip; x=y"], "application/zip"],
    ["the network's claim before the server's", Buffer.from("x"), ["text/x-diff", "text/plain"], "text/x-diff"],
    ["the server's where the network says nothing", Buffer.from("x"), [undefined, "text/plain"], "text/plain"],
    [
      "the server's where the network says 'bytes'",
      Buffer.from("x"),
      ["application/octet-stream", "text/plain"],
      "text/plain",
    ],
    ["bytes where nothing is claimed", Buffer.from("OggS"), [undefined], "audio/ogg"],
    ["nonsense", Buffer.from("x"), ["a/b\r\nx: y", "/", ""], "application/octet-stream"],
    ["nothing at all", Buffer.alloc(0), [], "application/octet-stream"],
  ])("follows %s", (_name, head, declared, expected) => {
    expect(mediaType(head, ...declared)).toBe(expected);
  });
});
