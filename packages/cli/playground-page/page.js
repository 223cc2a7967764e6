import { tellProblem } from "./api.js";
import { showBridge, showRun } from "./bridge.js";
import { showNetwork } from "./network.js";
import { Room } from "./room.js";

const rooms = { matrix: new Room("matrix"), network: new Room("network") };

function showRunEverywhere(run) {
  const busy = showRun(run);
  for (const room of Object.values(rooms)) room.busy = busy;
}

function showAccess({ homeserverUrl, roomAlias, user, password, channel, network }) {
  showNetwork(network);
  rooms.matrix.name = roomAlias;
  rooms.network.name = channel;
  rooms.network.network = network;
  const write = (name, lines) => {
    document.querySelector(`[data-access=${name}]`).textContent = lines.join("\n");
  };
  write("network", network.access);
  write("matrix", [
    `homeserver  ${homeserverUrl}`,
    `user        ${user}`,
    `password    ${password}`,
    `room        ${roomAlias}`,
  ]);
}

const takes = {
  snapshot({ matrix, network, bridge, run, access }) {
    showAccess(access);
    rooms.matrix.reset(matrix);
    rooms.network.reset(network);
    showBridge(bridge);
    showRunEverywhere(run);
  },
  item: ({ side, item }) => rooms[side].put(item),
  people: ({ side, members, friendHere }) => rooms[side].setPeople(members, friendHere),
  topic: ({ side, topic }) => rooms[side].setTopic(topic),
  bridge: ({ bridge }) => showBridge(bridge),
  run: ({ run }) => showRunEverywhere(run),
};

const events = new EventSource("events");
for (const [type, take] of Object.entries(takes)) {
  events.addEventListener(type, (event) => take(JSON.parse(event.data)));
}
events.addEventListener("open", () => document.body.classList.remove("gone"));
events.addEventListener("error", () => {
  document.body.classList.add("gone");
  tellProblem("The playground has stopped. Start it again with: npm start");
});
