import type { Express, Request, Response } from "express";
import { z } from "zod";
import type { SlackEmulator } from "../emulator.js";
import { compact, type Json, type JsonObject } from "../json.js";
import type { Workspace } from "../people/workspace.js";
import { appActions, appView, personActions, workspaceActions } from "./actions.js";

const frequency = { times: z.int().positive().optional(), skip: z.int().min(0).optional() };

const apiFault = z.strictObject({
  kind: z.enum(["rate_limit", "status", "error", "drop_before", "drop_after", "hang_before", "hang_after", "slow"]),
  method: z.string().optional(),
  channel: z.string().optional(),
  app: z.string().optional(),
  workspace: z.string().optional(),
  retryAfter: z.int().positive().optional(),
  status: z.int().min(400).max(599).optional(),
  error: z.string().optional(),
  ms: z.int().positive().optional(),
  ...frequency,
});

const eventFault = z.strictObject({
  kind: z.enum(["duplicate", "reorder", "lose", "delay", "lose_ack"]),
  app: z.string().optional(),
  event: z.string().optional(),
  channel: z.string().optional(),
  ms: z.int().positive().optional(),
  ...frequency,
});

type Handler = (request: Request, body: unknown) => Json | Promise<Json>;

/** The control API under `/control`: what a test does with objects, another process does with JSON. */
export function controlRoutes(application: Express, emulator: SlackEmulator): void {
  const on = (verb: "get" | "post" | "delete", path: string, handler: Handler) => {
    application[verb](`/control${path}`, (request, response) => answer(request, response, handler));
  };
  on("get", "/state", () => state(emulator));
  on("post", "/workspaces/:workspace/people/:person/:action", (request, body) => {
    const person = emulator.workspace(param(request, "workspace")).person(param(request, "person"));
    return named(personActions, param(request, "action")).run(person, body);
  });
  on("post", "/workspaces/:workspace/:action", (request, body) =>
    named(workspaceActions, param(request, "action")).run(emulator.workspace(param(request, "workspace")), body),
  );
  on("get", "/workspaces/:workspace/channels/:channel", (request) =>
    channelView(emulator.workspace(param(request, "workspace")), param(request, "channel")),
  );
  on("post", "/apps/:app/:action", (request, body) =>
    named(appActions, param(request, "action")).run(emulator.app(param(request, "app")), body),
  );
  on("get", "/apps/:app/deliveries", (request) =>
    emulator
      .app(param(request, "app"))
      .deliveries()
      .map((record) => ({ ...record, attempts: record.attempts.map((attempt) => ({ ...attempt })) })),
  );
  on("post", "/faults/api", (_request, body) => emulator.faults.api(apiFault.parse(body)).id);
  on("post", "/faults/events", (_request, body) => emulator.faults.events(eventFault.parse(body)).id);
  on("get", "/faults", () =>
    emulator.faults.list().map(({ id, rule, hits }) => ({ id, hits, ...compact({ ...rule }) })),
  );
  on("delete", "/faults/:id", (request) => emulator.faults.lift(param(request, "id")));
  on("delete", "/faults", () => {
    emulator.faults.clear();
    return true;
  });
  on("get", "/calls", (request) =>
    emulator
      .calls(typeof request.query.method === "string" ? request.query.method : undefined)
      .map((call) => compact({ ...call, args: { ...call.args } })),
  );
  on("post", "/clock/advance", (_request, body) => {
    emulator.clock.advance(z.object({ ms: z.int().min(0) }).parse(body).ms);
    return emulator.clock.now();
  });
}

function param(request: Request, name: string): string {
  return String(request.params[name]);
}

function named<T>(actions: Readonly<Record<string, T>>, name: string): T {
  const found = actions[name];
  if (found === undefined) throw new Error(`There is no action ${name}; there is ${Object.keys(actions).join(", ")}`);
  return found;
}

async function answer(request: Request, response: Response, handler: Handler): Promise<void> {
  try {
    const body: unknown = request.body;
    const parsed: unknown = Buffer.isBuffer(body) && body.length > 0 ? JSON.parse(body.toString("utf8")) : undefined;
    response.json({ ok: true, result: await handler(request, parsed) });
  } catch (error) {
    // Whoever drives the emulator is told what was wrong with the request.
    response.status(400).json({
      ok: false,
      error: error instanceof z.ZodError ? z.prettifyError(error) : error instanceof Error ? error.message : "unknown",
    });
  }
}

function channelView(workspace: Workspace, name: string): JsonObject {
  const channel = workspace.channel(name);
  return {
    id: channel.id,
    name: channel.name,
    private: channel.private,
    archived: channel.archived,
    topic: channel.topic,
    purpose: channel.purpose,
    members: channel.members,
    messages: channel.messages().map((message) => message.raw),
  };
}

function state(emulator: SlackEmulator): JsonObject {
  const workspaces = emulator.workspaces();
  return {
    url: emulator.url,
    apiUrl: emulator.apiUrl,
    now: emulator.clock.now(),
    undelivered: emulator.undelivered,
    workspaces: workspaces.map((workspace) => ({
      id: workspace.id,
      domain: workspace.domain,
      people: workspace.people().map((person) => ({ id: person.id, name: person.name })),
      channels: workspace.channels().map((channel) => ({
        id: channel.id,
        name: channel.name,
        private: channel.private,
        archived: channel.archived,
      })),
    })),
    apps: emulator.apps().map((app) => appView(app, workspaces)),
  };
}
