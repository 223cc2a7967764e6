import * as core from "@trestle/core";
import type { Config, LoadedConfig, Logger, Services } from "@trestle/core";

interface Running {
  readonly url: string;
  close(): Promise<void>;
}

interface Later {
  startTrestle(loaded: LoadedConfig, options?: { log?: Logger }): Promise<Running>;
  openOfflineServices(config: Config): Promise<Pick<Services, "list" | "queue"> & { close(): Promise<void> }>;
}

export const { startTrestle, openOfflineServices } = core as typeof core & Later;
