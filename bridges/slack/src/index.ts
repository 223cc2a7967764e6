/** The Trestle bridge to Slack. @packageDocumentation */
export {};
