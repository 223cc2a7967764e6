export { loadConnector, isConnector, parseNetworkConfig } from "./connector-loader.js";
export { composeConfig, loadConfig, loadRegistrations, parseConfig, readConfig } from "./load.js";
export type { ConfigFile, LoadedConfig, LoadOptions } from "./load.js";
export { ConfigError, formatPath, formatProblem, RegistrationError } from "./problem.js";
export type { Problem, ProblemPath } from "./problem.js";
export type {
  BridgeConfig,
  Config,
  ConfigInput,
  DeliveryConfig,
  LogConfig,
  MediaConfig,
  OperationsConfig,
  PermissionLevel,
} from "./schema.js";
export { configJsonSchema, toJsonSchema } from "./json-schema.js";
export type { ConnectorSection, JsonSchema } from "./json-schema.js";
export { renderConnectorOptions, renderReference } from "./reference.js";
export { renderConfig, renderSample, type SampleOptions } from "./sample.js";
