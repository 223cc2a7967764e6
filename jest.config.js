import { availableParallelism } from "node:os";

/** Tests run against the built packages, so that workers and child processes are the real ones. */
export default {
  testMatch: [
    "<rootDir>/packages/*/test/**/*.test.ts",
    "<rootDir>/bridges/*/test/**/*.test.ts",
    "<rootDir>/test/**/*.test.ts",
  ],
  testEnvironment: "<rootDir>/test/support/patient-environment.cjs",
  extensionsToTreatAsEsm: [".ts"],
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      { jsc: { target: "es2023", parser: { syntax: "typescript" } }, module: { type: "es6" } },
    ],
  },
  resolver: "<rootDir>/test/support/resolve-ts.cjs",
  testSequencer: "<rootDir>/test/support/long-first.cjs",
  reporters: ["default", "<rootDir>/test/support/servers-reporter.cjs"],
  // More than there are processors: the tests wait for servers more than they compute.
  maxWorkers: Math.min(6, 2 * availableParallelism()),
  testTimeout: 30_000,
};
