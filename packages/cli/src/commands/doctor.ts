import type { Command } from "commander";
import pc from "picocolors";
import { diagnose } from "../doctor/diagnose.js";
import type { Finding } from "../doctor/finding.js";
import { CliError } from "../failure.js";
import { withCommonOptions } from "../options.js";
import type { CommonOptions } from "../options.js";
import { Output, printable } from "../output.js";

export function addDoctor(program: Command): void {
  withCommonOptions(
    program
      .command("doctor")
      .description("find out why the bridge does not work: configuration, registrations, homeserver, both ways"),
  ).action(async (options: CommonOptions) => {
    const output = new Output(options.json ?? false);
    const findings: Finding[] = [];
    for await (const finding of diagnose(options.config)) {
      findings.push(finding);
      printFinding(output, finding);
    }
    const wrong = findings.filter((finding) => finding.state === "failed").length;
    output.result({ ok: wrong === 0, findings }, () => {
      output.line();
      output.line(wrong === 0 ? "Nothing is wrong." : `${wrong} ${wrong === 1 ? "thing is" : "things are"} wrong.`);
    });
    if (wrong > 0) throw new CliError("problemsFound", "");
  });
}

const marks: Readonly<Record<Finding["state"], string>> = {
  ok: pc.green("✓"),
  warning: pc.yellow("!"),
  failed: pc.red("✗"),
  skipped: pc.dim("-"),
};

function printFinding(output: Output, { state, bridge, text, cure }: Finding): void {
  const [first = "", ...more] = text.split("\n").map(printable);
  output.line(`${marks[state]} ${bridge === undefined ? "" : `${bridge}: `}${first}`);
  for (const line of more) output.line(`    ${line}`);
  if (cure !== undefined) output.line(`    ${pc.dim("→")} ${printable(cure)}`);
}
