import type { ConnectorCheck } from "../check.js";
import { belongChecks } from "./belong.js";
import { receiveChecks } from "./can-receive.js";
import { sendChecks } from "./can-send.js";
import { crashChecks } from "./crash.js";
import { loginChecks } from "./login.js";
import { lostChecks } from "./lost.js";
import { orderChecks } from "./order.js";
import { pictureChecks } from "./pictures.js";
import { signalChecks } from "./signals.js";
import { silentChecks } from "./silent.js";
import { twiceChecks } from "./twice.js";

const order = ["lost", "twice", "order", "silent", "belong", "can"];
const promiseOf = ({ id }: ConnectorCheck): number => order.indexOf(id.split(".")[0] ?? "");

/** Every check, by promise. */
export const connectorChecks: readonly ConnectorCheck[] = [
  ...lostChecks,
  ...crashChecks,
  ...twiceChecks,
  ...orderChecks,
  ...silentChecks,
  ...belongChecks,
  ...sendChecks,
  ...receiveChecks,
  ...pictureChecks,
  ...signalChecks,
  ...loginChecks,
].sort((a, b) => promiseOf(a) - promiseOf(b));
