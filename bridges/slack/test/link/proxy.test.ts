import { createServer, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterEach, expect, it } from "@jest/globals";
import { Stage } from "./support/stage.js";

let stage: Stage | undefined;
let proxy: Server | undefined;
const sockets = new Set<Socket>();
afterEach(async () => {
  await stage?.close();
  for (const socket of sockets) socket.destroy();
  proxy?.close();
});

it("reaches Slack through a proxy alone, where there is one: requests and sockets", async () => {
  const asked: string[] = [];
  proxy = createServer((_request, response) => response.writeHead(405).end());
  proxy.on("connect", (request, client: Socket, head: Buffer) => {
    asked.push(request.url ?? "");
    const { hostname, port } = new URL(`http://${request.url ?? ""}`);
    const target = connect(Number(port), hostname, () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      target.write(head);
      target.pipe(client).pipe(target);
    });
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
    }
  });
  await new Promise<void>((resolve) => proxy?.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo;
  stage = await Stage.open({ config: { proxy: `http://127.0.0.1:${port}` } });
  await stage.start();
  stage.alice.post("general", "hello");
  await stage.hears("hello");
  const { host } = new URL(stage.slack.url);
  expect(new Set(asked)).toEqual(new Set([host]));
  expect(asked.length).toBeGreaterThanOrEqual(3);
});
