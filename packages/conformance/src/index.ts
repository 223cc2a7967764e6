// For those who write a connector
export { checkConnector, conformance, type ConformanceOptions, type SuiteOptions } from "./connector/suite.js";
export type { Subject } from "./connector/subject.js";
export * from "./network/network-fake.js";
export { viewOf } from "./network/view.js";

// What comes of it
export type { Finding } from "./report/finding.js";
export { formatReport, formatResult } from "./report/format.js";
export { tally, type CheckResult, type CheckTitle, type Level, type Report } from "./report/report.js";

// For those who examine a service from outside
export { checkService, ServiceAway, serviceChecks, type ServiceOptions } from "./service/suite.js";
export { readServiceRegistration, serverNameOf, type ServiceRegistration } from "./service/target.js";
