export { selfSignedCertificate, type Certificate, type CertificateOptions } from "./certificate.js";
export { IrcServer, type ChannelView } from "./server.js";
export { IrcTestClient, type IrcTestClientOptions, type LineMatch, type WaitForLineOptions } from "./test-client.js";
export type { Capability, FloodRules, IrcLimits, IrcServerOptions } from "./options.js";
export type { IrcLine } from "./line.js";
export type { CaseMapping } from "./names.js";
export type { LoggedMessage } from "./records.js";
export type { Verdict } from "./network.js";
export type { WaitOptions } from "./observers.js";
