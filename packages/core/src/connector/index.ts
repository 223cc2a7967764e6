export * from "./connector.js";
export * from "./content.js";
export * from "./effects.js";
export * from "./events.js";
export * from "./fallback.js";
export * from "./ids.js";
export * from "./metrics.js";
export * from "./outcome.js";
