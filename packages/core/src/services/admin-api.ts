import type { Router } from "express";
import type { Services } from "./services.js";

/** Makes what is mounted at `/admin/v1`, when the first request comes: a start need not wait for it. */
export function adminApi(services: Services, token: string): () => Promise<Router> {
  return async () => (await import("./admin-routes.js")).adminRoutes(services, token);
}
