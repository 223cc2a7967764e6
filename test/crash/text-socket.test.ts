import { expect, it } from "@jest/globals";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { TextSocket } from "./xmpp/text-socket.js";

it("what people on XMPP read is whole, wherever the network cuts it", async () => {
  const text = Buffer.from("a 🎉 here");
  const server = createServer((socket) => {
    socket.write(text.subarray(0, 4));
    // The rest when the beginning has been read.
    socket.once("data", () => socket.end(text.subarray(4)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const reader = new TextSocket();
  let read = "";
  reader.on("data", (part: string | Buffer) => {
    read += String(part);
    if (read.length < 3) reader.write("go on");
  });
  reader.connect((server.address() as AddressInfo).port, "127.0.0.1");
  await once(reader, "close");
  server.close();
  expect(read).toBe("a 🎉 here");
});
