/** A Slack to run tests against. @packageDocumentation */
export {};
