export { generateDocuments } from "./documentation/documents.js";
export { exitCodes } from "./exit-codes.js";
export type { ExitName } from "./exit-codes.js";
