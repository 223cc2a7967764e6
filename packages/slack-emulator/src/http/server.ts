import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import express, { type Express } from "express";

/** A listening HTTP server and its express application. */
export interface Listening {
  readonly server: Server;
  readonly url: string;
  close(): Promise<void>;
}

/** An application that keeps bodies as bytes: signatures, forms and JSON are read by whoever needs them. */
export function createApplication(bodyLimit: number): Express {
  const application = express();
  application.disable("x-powered-by");
  application.disable("etag");
  application.use(express.raw({ type: () => true, limit: bodyLimit }));
  return application;
}

/** Starts to listen. Port 0 takes a free one. */
export async function listen(application: Express, host: string, port: number): Promise<Listening> {
  const server = createServer((request, response) => void application(request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address();
  const actual = isAddress(address) ? address.port : port;
  return {
    server,
    url: `http://${host.includes(":") ? `[${host}]` : host}:${actual}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function isAddress(address: string | AddressInfo | null): address is AddressInfo {
  return typeof address === "object" && address !== null;
}
