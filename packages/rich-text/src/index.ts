export * from "./tree.js";
export * from "./build.js";
