export { Registration } from "./registration.js";
export type { RegistrationDocument } from "./registration-file.js";
export { formatRegistration, generateDoublePuppetRegistration, generateRegistration } from "./registration-generate.js";
export type { GenerateRegistration } from "./registration-generate.js";
export { checkTogether, parseRegistration, readRegistration } from "./registration-read.js";
export type { NamedRegistration, RegistrationReading } from "./registration-read.js";
