/** Every exit status of the command line; the table in docs/cli.md is held against this one. */
export const exitCodes = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  configuration: 10,
  registration: 11,
  connector: 12,
  databaseLocked: 13,
  databaseUnusable: 14,
  portInUse: 15,
  tokenRefused: 16,
  wrongHomeserver: 17,
  notRunning: 20,
  refused: 21,
  noAdminAccess: 22,
  problemsFound: 30,
  wouldOverwrite: 31,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitName = keyof typeof exitCodes;
