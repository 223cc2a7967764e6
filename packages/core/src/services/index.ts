export { AdminAccessError, AdminClient, NotRunningError } from "./admin-client.js";
export type { AdminClientOptions } from "./admin-client.js";
export {
  ensureAdminToken,
  forgetOperationsAddress,
  publishOperationsAddress,
  readAdminAccess,
} from "./admin-access.js";
export type { AdminAccess } from "./admin-access.js";
export { adminApi } from "./admin-api.js";
export { importRecords, type ImportRemarks, type ImportReport, type ImportRequest } from "./import.js";
export { comesBackNote, otherRoomsNote } from "./link-note.js";
export { startOperationsServer } from "./operations-server.js";
export type { OperationsOptions, OperationsServer, Readiness, ReadinessCheck } from "./operations-server.js";
export * from "./services.js";
export { StartError } from "./start-error.js";
export type { StartFailure } from "./start-error.js";
export type { ImportCounts } from "../store/store-import.js";
