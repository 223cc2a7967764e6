import { act, element } from "./api.js";
import { network } from "./network.js";

const DIRECTIONS = ["toNetwork", "toMatrix"];
const nameOf = (direction) => `→ ${direction === "toNetwork" ? network.name : "Matrix"}`;
const root = document.getElementById("bridge");
let lastRun = null;
const part = (name) => root.querySelector(`[data-part=${name}]`);

part("kill").addEventListener("click", () => act("kill"));
part("run").addEventListener("click", () => act("run"));

/** How the bridge is now. */
export function showBridge(bridge) {
  root.dataset.phase = bridge.phase;
  root.parentElement.dataset.phase = bridge.phase;
  part("status").replaceChildren(element("span", { className: "dot" }), statusText(bridge));
  for (const direction of DIRECTIONS) {
    const row = root.querySelector(`[data-flow=${direction}]`);
    for (const cell of row.querySelectorAll("[data-count]")) {
      const count = bridge[direction][cell.dataset.count];
      cell.textContent = String(count);
      cell.classList.toggle("some", count > 0);
    }
  }
  part("kept").textContent = keptText(bridge);
  part("kept").classList.toggle("some", bridge.phase !== "running" || bridge.atHomeserver > 0);
  part("kill").disabled = bridge.phase === "down";
  part("kill-text").textContent = bridge.phase === "down" ? "Starting again…" : "Kill the bridge";
  showWaiting(bridge.waiting);
  if (lastRun !== null) showRun(lastRun);
}

function statusText({ phase, pid, kills, detail }) {
  const killed = kills === 0 ? "" : kills === 1 ? ", killed once" : `, killed ${kills} times`;
  if (phase === "running") return `Running (process ${pid}${killed})`;
  if (phase === "starting") return `Starting${detail === "" ? "" : `: ${detail}`}`;
  return `Down. ${detail}`;
}

function keptText({ atHomeserver, phase }) {
  const events = atHomeserver === 1 ? "1 event" : `${atHomeserver} events`;
  if (phase === "running") {
    return atHomeserver === 0 ? "The homeserver keeps nothing back." : `The homeserver is handing over ${events}.`;
  }
  if (atHomeserver === 0) return `The homeserver and ${network.name} keep what comes now.`;
  return `The homeserver keeps ${events} for it; what comes from ${network.name} is kept too.`;
}

function showWaiting(entries) {
  part("waiting").hidden = entries.length === 0;
  part("waiting-list").replaceChildren(
    ...entries.map(({ direction, state, source, error }) =>
      element(
        "li",
        {},
        element("span", {}, nameOf(direction)),
        element("code", {}, source),
        element("em", {}, error ?? state),
      ),
    ),
  );
}

/** How far the counted messages are. Returns whether they are still on their way. */
export function showRun(run) {
  lastRun = run;
  part("tally").hidden = run === null;
  part("hint").hidden = run !== null;
  if (run === null) return false;
  part("tally-caption").textContent = `Run ${run.run}: ${run.total} messages each way`;
  for (const direction of DIRECTIONS) {
    for (const row of root.querySelectorAll("[data-tally]")) {
      const name = row.dataset.tally;
      const cell = row.querySelector(`[data-direction=${direction}]`);
      const count = run[direction][name];
      cell.textContent = name === "arrived" ? `${count}/${run.total}` : String(count);
      cell.classList.toggle("bad", count > 0 && (name === "duplicated" || name === "outOfOrder"));
    }
    const progress = root.querySelector(`[data-progress=${direction}]`);
    progress.max = run.total;
    progress.value = run[direction].arrived;
  }
  const isSending = DIRECTIONS.some((direction) => run[direction].sent < run.total);
  const isOver = DIRECTIONS.every((direction) => run[direction].arrived === run.total);
  part("run").disabled = isSending;
  showVerdict(run, isOver, isSending);
  return !isOver;
}

function showVerdict(run, isOver, isSending) {
  const wrong = DIRECTIONS.reduce((sum, direction) => sum + run[direction].duplicated + run[direction].outOfOrder, 0);
  const verdict = part("verdict");
  const text = !isOver
    ? textWhileOpen(isSending)
    : wrong === 0
      ? `All ${2 * run.total} arrived: nothing lost, nothing twice, nothing out of order.`
      : `All arrived, but ${wrong} twice or out of order.`;
  if (verdict.textContent !== text) verdict.textContent = text;
  verdict.dataset.state = !isOver ? "open" : wrong === 0 ? "good" : "bad";
}

function textWhileOpen(isSending) {
  if (root.dataset.phase === "down") return "The bridge is down. What was sent waits for it.";
  if (root.dataset.phase === "starting") return "The bridge starts again.";
  return isSending ? "On their way. Now kill the bridge." : "All sent. Waiting for the last to arrive.";
}
