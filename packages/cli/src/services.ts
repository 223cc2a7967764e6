import { AdminClient, NotRunningError, openOfflineServices, readAdminAccess, readConfig } from "@trestle/core";
import type { Config, Services } from "@trestle/core";

/** Uses the services of the running Trestle; rejects with `NotRunningError` where there is none. */
export async function withRunning<Result>(
  configPath: string,
  use: (services: Services) => Promise<Result>,
): Promise<Result> {
  const { config } = await readConfig(configPath);
  return use(await runningServices(config));
}

/** Uses the running Trestle's services, or those that need the database alone where none runs. */
export async function withRunningOrStore<Result>(
  configPath: string,
  use: (services: Pick<Services, "list" | "queue">) => Promise<Result>,
): Promise<Result> {
  const { config } = await readConfig(configPath);
  try {
    return await use(await runningServices(config));
  } catch (error) {
    if (!(error instanceof NotRunningError)) throw error;
  }
  const offline = await openOfflineServices(config);
  try {
    return await use(offline);
  } finally {
    await offline.close();
  }
}

async function runningServices(config: Config): Promise<Services> {
  const access = await readAdminAccess(config.dataDirectory);
  const url = access.url ?? (config.operations.port === 0 ? undefined : operationsUrl(config));
  if (url === undefined || access.token === undefined) {
    throw new NotRunningError(`it has left no admin-token in ${config.dataDirectory}`);
  }
  return new AdminClient({ url, token: access.token });
}

function operationsUrl({ operations: { host, port } }: Config): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}
