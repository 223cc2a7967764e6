import type { ServerResponse } from "node:http";

export function answer(response: ServerResponse, status: number, json: string): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(json) });
  response.end(json);
}

export function answerError(response: ServerResponse, status: number, errcode: string, error: string): void {
  answer(response, status, JSON.stringify({ errcode, error }));
}
