import { loadConfig, loadConnector, startTrestle, type Connector } from "@trestle/core";
import type { Told } from "./process-life.js";
import { observed } from "./subject.js";

const tell = (told: Told): void => void process.send?.(told);

/** The bridge as a process of its own: `bridge-process.js <configuration>`. */
const loaded = await loadConfig(process.argv[2] ?? "");
const connectors: Record<string, Connector> = {};
for (const { connector } of loaded.config.bridges) {
  const found = await loadConnector(connector, loaded.directory);
  connectors[connector] = observed(found, (abilities) => tell({ told: "abilities", abilities }));
}
const trestle = await startTrestle(loaded, { connectors });
const stop = (): void => {
  trestle.close().then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
};
process.once("SIGTERM", stop);
// Whoever examines it is gone.
process.once("disconnect", stop);
tell({ told: "listening", port: Number(new URL(trestle.url).port) });
await trestle.greeted;
tell({ told: "running" });
