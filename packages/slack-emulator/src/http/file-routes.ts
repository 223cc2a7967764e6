import type { Express, Request, Response } from "express";
import { receiveContent } from "../actions/files.js";
import { maySee } from "../api/files.js";
import { SlackError } from "../api/error.js";
import type { ApiFault } from "../faults/api-faults.js";
import type { Faults } from "../faults/faults.js";
import type { StoredFile } from "../state/files.js";
import type { World } from "../state/world.js";
import { firstFile } from "./multipart.js";
import { presentedToken, validToken } from "./authenticate.js";
import { loginPage } from "./login-page.js";
import { preempt } from "./preempt.js";
import { onePixel } from "./pixel.js";

/** What the routes of files work with. */
export interface FileRouteOptions {
  readonly world: World;
  readonly faults: Faults;
  /** Bytes of the largest file. */
  readonly largest: number;
}

type FileHandler = (
  options: FileRouteOptions,
  request: Request,
  response: Response,
  fault: ApiFault | undefined,
) => void;

/** Uploads, private and public downloads, pictures. Faults reach the first two under the names `upload` and `download`. */
export function fileRoutes(application: Express, options: FileRouteOptions): void {
  const { world } = options;
  application.post("/upload/v1/:key", faultable(options, "upload", upload));
  application.get("/files-pri/:key/*path", faultable(options, "download", download));
  application.get("/files-pub/:key", (request, response) => publicDownload(world, request, response));
  application.get("/avatars/*path", (request, response) => picture(world, request, response));
  application.get("/emoji/*path", (request, response) => picture(world, request, response));
  application.get("/", (_request, response) => void response.type("html").send(loginPage));
}

function faultable(options: FileRouteOptions, name: string, handle: FileHandler) {
  return async (request: Request, response: Response): Promise<void> => {
    const token = options.world.tokens.get(presentedToken(request.headers.authorization, undefined) ?? "");
    const facts = { method: name, channel: undefined, app: token?.appId, workspace: token?.teamId };
    const fault = options.faults.apiFaults.strike(facts);
    const preempted = fault === undefined ? undefined : await preempt(fault, options.world.clock, response);
    if (preempted === undefined) handle(options, request, response, fault);
  };
}

function upload(options: FileRouteOptions, request: Request, response: Response, fault: ApiFault | undefined): void {
  const [status, text] = receive(options, request);
  if (fault?.kind === "hang_after") return;
  if (fault?.kind === "drop_after") response.destroy();
  else response.status(status).type("text/plain").send(text);
}

function receive({ world, largest }: FileRouteOptions, request: Request): [status: number, text: string] {
  const file = world.files.get(String(request.params.key).split("-")[0] ?? "");
  if (file === undefined || file.state === "complete") return [404, "unknown upload"];
  const body: unknown = request.body;
  const contentType = request.headers["content-type"] ?? "";
  const sent = Buffer.isBuffer(body) ? body : undefined;
  const content = sent !== undefined && contentType.startsWith("multipart/") ? firstFile(sent, contentType) : sent;
  if (content === undefined) return [400, "no file in the request"];
  if (content.length > largest || content.length !== file.size)
    return [400, "the file has another length than announced"];
  receiveContent(file, content);
  return [200, `OK - ${content.length}`];
}

function download(
  { world }: FileRouteOptions,
  request: Request,
  response: Response,
  fault: ApiFault | undefined,
): void {
  const file = world.files.get(String(request.params.key).split("-")[1] ?? "");
  if (file?.state !== "complete" || file.deleted || !mayDownload(world, file, request)) {
    response.redirect(302, `/?redir=${encodeURIComponent(request.path)}`);
    return;
  }
  if (fault?.kind === "drop_after" || fault?.kind === "hang_after")
    sendHalf(file, response, fault.kind === "drop_after");
  else send(file, response);
}

/** Sends half of a file under the length of the whole, then cuts the connection or goes silent. */
function sendHalf(file: StoredFile, response: Response, cut: boolean): void {
  response.writeHead(200, { "content-type": file.mimetype, "content-length": file.content.length });
  response.write(file.content.subarray(0, Math.ceil(file.content.length / 2)), () => {
    if (cut) response.destroy();
  });
}

function mayDownload(world: World, file: StoredFile, request: Request): boolean {
  try {
    const token = validToken(world, presentedToken(request.headers.authorization, undefined));
    if (token.kind === "app" || !token.scopes.includes("files:read")) return false;
    return maySee({ world, token, user: world.user(token.userId) }, file);
  } catch (error) {
    if (error instanceof SlackError) return false;
    throw error;
  }
}

function send(file: StoredFile, response: Response): void {
  response.status(200).set({
    "content-type": file.mimetype,
    "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(file.name)}`,
  });
  response.send(file.content);
}

function publicDownload(world: World, request: Request, response: Response): void {
  const [, id, secret] = String(request.params.key).split("-");
  const file = world.files.get(id ?? "");
  if (file === undefined || file.deleted || file.publicSecret === undefined || file.publicSecret !== secret) {
    response.status(404).type("html").send(loginPage);
    return;
  }
  send(file, response);
}

function picture(world: World, request: Request, response: Response): void {
  const image = world.images.get(request.path) ?? world.images.get(request.path.replace(/-(?:\d+|original)\.png$/, ""));
  response.set("content-type", image?.mimetype ?? "image/png").send(image?.content ?? onePixel);
}
