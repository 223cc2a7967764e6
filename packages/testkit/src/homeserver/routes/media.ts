import { badJson, invalidParam, MatrixError, notFound } from "../errors.js";
import type { RequestContext } from "../http/context.js";
import type { Reply } from "../http/reply.js";
import { ok } from "../http/reply.js";
import type { Handler, Router } from "../http/router.js";
import { MAX_UPLOAD_BYTES } from "../media/media-store.js";
import type { StoredMedia } from "../media/media-store.js";

const DEFAULT_WAIT_MS = 20_000;
/** Types that may be shown in place (Client-Server API, "Serving inline content"). */
const INLINE =
  /^(?:text\/(?:css|plain|csv)|application\/(?:json|ld\+json)|image\/(?:jpeg|gif|png|apng|webp|avif)|video\/(?:mp4|webm|ogg|quicktime)|audio\/(?:mp4|webm|aac|mpeg|ogg|wave|wav|x-wav|x-pn-wav|flac|x-flac))$/u;

/** The content repository: uploads at once and in two steps, authenticated downloads. */
export function mediaRoutes(router: Router): void {
  router.add("POST", "/_matrix/media/v3/upload", upload);
  router.add("POST", "/_matrix/media/v1/create", create);
  router.add("PUT", "/_matrix/media/v3/upload/{serverName}/{mediaId}", complete);
  router.add("GET", "/_matrix/client/v1/media/config", config);
  router.add("GET", "/_matrix/media/v3/config", config);
  router.add("GET", "/_matrix/client/v1/media/download/{serverName}/{mediaId}", download);
  router.add("GET", "/_matrix/client/v1/media/download/{serverName}/{mediaId}/{fileName}", download);
  router.add("GET", "/_matrix/client/v1/media/thumbnail/{serverName}/{mediaId}", thumbnail);
  // Media uploaded since authenticated media became the rule is not served by the old endpoints.
  const legacy = "/_matrix/media/v3";
  for (const path of ["download/{serverName}/{mediaId}", "download/{serverName}/{mediaId}/{fileName}"]) {
    router.add("GET", `${legacy}/${path}`, (context) => unlessFrozen(context, download), "optional");
  }
  router.add(
    "GET",
    `${legacy}/thumbnail/{serverName}/{mediaId}`,
    (context) => unlessFrozen(context, thumbnail),
    "optional",
  );
  // Nothing of a page is fetched: tests stay on the loopback interface.
  router.add("GET", "/_matrix/client/v1/media/preview_url", () => ok());
}

function uploaded(context: RequestContext): Omit<StoredMedia, "mediaId"> {
  return {
    owner: context.userId,
    contentType: context.headers["content-type"] ?? "application/octet-stream",
    filename: context.query.get("filename") ?? undefined,
    body: context.body,
  };
}

function upload(context: RequestContext): Reply {
  const { mediaId } = context.world.media.add(uploaded(context));
  return ok({ content_uri: `mxc://${context.world.serverName}/${mediaId}` });
}

function create(context: RequestContext): Reply {
  if (context.world.faults.missingAsyncUpload) throw new MatrixError(404, "M_UNRECOGNIZED", "Unrecognized request");
  const limited = context.requester.service?.info.rateLimited ?? true;
  const { mediaId, expires } = context.world.media.reserve(context.userId, limited);
  return ok({ content_uri: `mxc://${context.world.serverName}/${mediaId}`, unused_expires_at: expires });
}

function complete(context: RequestContext): Reply {
  if (context.param("serverName") !== context.world.serverName) throw notFound("Media is not local");
  context.world.media.complete(context.param("mediaId"), uploaded(context));
  return ok();
}

function config(): Reply {
  return ok({ "m.upload.size": MAX_UPLOAD_BYTES });
}

function find(context: RequestContext): Promise<StoredMedia> {
  if (context.param("serverName") !== context.world.serverName) throw notFound("Media not found");
  const wait = Math.min(context.queryInteger("timeout_ms") ?? DEFAULT_WAIT_MS, 60_000);
  return context.world.media.get(context.param("mediaId"), wait, context.signal);
}

async function download(context: RequestContext): Promise<Reply> {
  const media = await find(context);
  const type = media.contentType;
  const name = context.params["fileName"] ?? media.filename;
  const disposition = INLINE.test(type.split(";")[0]?.trim().toLowerCase() ?? "") ? "inline" : "attachment";
  return {
    status: 200,
    raw: media.body,
    headers: {
      "content-type": type,
      "content-disposition": name === undefined ? disposition : `${disposition}; ${filenameParameter(name)}`,
      "content-security-policy": "sandbox; default-src 'none'; script-src 'none'; style-src 'unsafe-inline'",
      "cross-origin-resource-policy": "cross-origin",
    },
  };
}

/** RFC 6266: quoted where it is plain ASCII, else the extended form of RFC 8187. */
function filenameParameter(name: string): string {
  return /^[\x20-\x7e]*$/u.test(name) && !/["\\]/u.test(name)
    ? `filename="${name}"`
    : `filename*=utf-8''${encodeURIComponent(name)}`;
}

/** This server makes no thumbnails: the image itself is a valid answer, as it is to be "at least" the size asked for. */
async function thumbnail(context: RequestContext): Promise<Reply> {
  for (const name of ["width", "height"]) {
    const value = context.queryInteger(name);
    if (value === undefined || value === 0) throw badJson(`Missing or invalid integer query parameter ${name}`);
  }
  const method = context.query.get("method") ?? "scale";
  if (method !== "scale" && method !== "crop") throw invalidParam(`Unknown thumbnail method ${method}`);
  const media = await find(context);
  if (!media.contentType.startsWith("image/")) {
    throw new MatrixError(400, "M_UNKNOWN", "Cannot find any thumbnails for the requested media");
  }
  return {
    status: 200,
    raw: media.body,
    headers: { "content-type": media.contentType, "content-disposition": "inline" },
  };
}

function unlessFrozen(context: RequestContext, serve: Handler): ReturnType<Handler> {
  if (context.world.faults.legacyMedia) return serve(context);
  throw notFound("Not found: media needs /_matrix/client/v1/media/download and a token");
}
