import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { findFreePort } from "../free-port.js";
import { findProgram, InstalledServer } from "../installed-server.js";

const missing =
  "The playground for MQTT runs the broker Mosquitto, which is not installed here. Install it with: sudo apt-get install mosquitto (macOS: brew install mosquitto)";

/** A broker of its own on the loopback interface, which keeps its files in `directory`. */
export class Mosquitto {
  private constructor(
    private readonly server: InstalledServer,
    readonly port: number,
  ) {}

  /** @throws CliError where the program is not installed, or does not start */
  static async start(directory: string): Promise<Mosquitto> {
    const program = findProgram("mosquitto", missing);
    const port = await findFreePort();
    const file = join(directory, "mosquitto.conf");
    await writeFile(file, configOf(directory, port), { mode: 0o600 });
    const what = "The broker";
    const server = await InstalledServer.start({ what, program, arguments: ["-c", file], ports: [port] });
    return new Mosquitto(server, port);
  }

  close(): Promise<void> {
    return this.server.close();
  }
}

function configOf(directory: string, port: number): string {
  const lines = [
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
    "persistence true",
    `persistence_location ${directory}/`,
    // Nothing is dropped that waits for a bridge that was killed.
    "max_queued_messages 0",
    ...(process.getuid?.() === 0 ? ["user root"] : []),
  ];
  return `${lines.join("\n")}\n`;
}
