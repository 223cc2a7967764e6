export * from "./connector.js";
export * from "./content.js";
export * from "./effects.js";
export * from "./events.js";
export * from "./ids.js";
export * from "./outcome.js";
