import { Router } from "../http/router.js";
import { accountRoutes } from "./account.js";
import { accountDataRoutes } from "./account-data.js";
import { appServiceRoutes } from "./appservice.js";
import { clientRoutes } from "./client.js";
import { deviceRoutes } from "./devices.js";
import { directoryRoutes } from "./directory.js";
import { ephemeralRoutes } from "./ephemeral.js";
import { eventRoutes } from "./events.js";
import { mediaRoutes } from "./media.js";
import { profileRoutes } from "./profile.js";
import { readingRoutes } from "./reading.js";
import { roomRoutes } from "./rooms.js";
import { syncRoutes } from "./sync.js";

/** Every endpoint of the homeserver. */
export function createRouter(): Router {
  const router = new Router();
  for (const add of [
    accountRoutes,
    accountDataRoutes,
    appServiceRoutes,
    clientRoutes,
    deviceRoutes,
    directoryRoutes,
    ephemeralRoutes,
    eventRoutes,
    mediaRoutes,
    profileRoutes,
    readingRoutes,
    roomRoutes,
    syncRoutes,
  ]) {
    add(router);
  }
  return router;
}
