export { default } from "./connector.js";
export { readSaid, type Said } from "./payload.js";
