export * from "./connector.js";
export * from "./content.js";
export * from "./doctor.js";
export * from "./effects.js";
export * from "./events.js";
export * from "./fallback.js";
export * from "./ids.js";
export * from "./outcome.js";
