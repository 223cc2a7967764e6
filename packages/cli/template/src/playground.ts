import type { StandInNetwork } from "@trestle/cli/testing";
import { MyNetworkStandIn } from "./stand-in.js";

/** What `trestle start` shows. */
const network: StandInNetwork = {
  connector: new URL("./index.js", import.meta.url),
  name: "My Network",
  standIn: new MyNetworkStandIn(),
};

export default network;
