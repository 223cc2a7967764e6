import type { Express, Request, Response } from "express";
import { receiveContent } from "../actions/files.js";
import { maySee } from "../api/files.js";
import { SlackError } from "../api/error.js";
import type { StoredFile } from "../state/files.js";
import type { World } from "../state/world.js";
import { firstFile } from "./multipart.js";
import { presentedToken, validToken } from "./authenticate.js";
import { loginPage } from "./login-page.js";
import { onePixel } from "./pixel.js";

/** Uploads, private and public downloads, pictures. */
export function fileRoutes(application: Express, world: World, largest: number): void {
  application.post("/upload/v1/:key", (request, response) => upload(world, largest, request, response));
  application.get("/files-pri/:key/*path", (request, response) => download(world, request, response));
  application.get("/files-pub/:key", (request, response) => publicDownload(world, request, response));
  application.get("/avatars/*path", (request, response) => picture(world, request, response));
  application.get("/emoji/*path", (request, response) => picture(world, request, response));
  application.get("/", (_request, response) => void response.type("html").send(loginPage));
}

function upload(world: World, largest: number, request: Request, response: Response): void {
  const file = world.files.get(String(request.params.key).split("-")[0] ?? "");
  if (file?.state !== "waiting") {
    response.status(404).type("text/plain").send("unknown upload");
    return;
  }
  const body: unknown = request.body;
  const contentType = request.headers["content-type"] ?? "";
  const sent = Buffer.isBuffer(body) ? body : undefined;
  const content = sent !== undefined && contentType.startsWith("multipart/") ? firstFile(sent, contentType) : sent;
  if (content === undefined) {
    response.status(400).type("text/plain").send("no file in the request");
    return;
  }
  if (content.length > largest || content.length !== file.size) {
    response.status(400).type("text/plain").send("the file has another length than announced");
    return;
  }
  receiveContent(file, content);
  response.type("text/plain").send(`OK - ${content.length}`);
}

function download(world: World, request: Request, response: Response): void {
  const file = world.files.get(String(request.params.key).split("-")[1] ?? "");
  if (file?.state !== "complete" || file.deleted || !mayDownload(world, file, request)) {
    response.redirect(302, `/?redir=${encodeURIComponent(request.path)}`);
    return;
  }
  send(file, response);
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
  const image = world.images.get(request.path) ?? world.images.get(request.path.replace(/-\d+\.png$/, ""));
  response.set("content-type", image?.mimetype ?? "image/png").send(image?.content ?? onePixel);
}
