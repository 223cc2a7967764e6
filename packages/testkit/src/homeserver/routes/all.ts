import { Router } from "../http/router.js";
import { accountRoutes } from "./account.js";
import { accountManagementRoutes } from "./account-management.js";
import { accountDataRoutes } from "./account-data.js";
import { appServiceRoutes } from "./appservice.js";
import { clientRoutes } from "./client.js";
import { crossSigningRoutes } from "./cross-signing.js";
import { deviceRoutes } from "./devices.js";
import { directoryRoutes } from "./directory.js";
import { ephemeralRoutes } from "./ephemeral.js";
import { eventRoutes } from "./events.js";
import { exploringRoutes } from "./exploring.js";
import { mediaRoutes } from "./media.js";
import { profileRoutes } from "./profile.js";
import { pushRoutes } from "./push.js";
import { readingRoutes } from "./reading.js";
import { roomRoutes } from "./rooms.js";
import { searchRoutes } from "./search.js";
import { syncRoutes } from "./sync.js";

/** Every endpoint of the homeserver. */
export function createRouter(): Router {
  const router = new Router();
  for (const add of [
    accountRoutes,
    accountDataRoutes,
    accountManagementRoutes,
    appServiceRoutes,
    clientRoutes,
    crossSigningRoutes,
    deviceRoutes,
    directoryRoutes,
    ephemeralRoutes,
    eventRoutes,
    exploringRoutes,
    mediaRoutes,
    profileRoutes,
    pushRoutes,
    readingRoutes,
    roomRoutes,
    searchRoutes,
    syncRoutes,
  ]) {
    add(router);
  }
  return router;
}
