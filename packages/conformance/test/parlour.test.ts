import { conformance } from "@trestle/conformance";
import { Parlour } from "./support/parlour.js";
import { parlourConnector } from "./support/parlour-connector.js";

const parlour = new Parlour();

conformance(parlourConnector(parlour), parlour);
