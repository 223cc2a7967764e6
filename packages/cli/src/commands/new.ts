import { join, resolve } from "node:path";
import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { Output } from "../output.js";
import { withOutputOptions } from "../options.js";
import { scaffold } from "../scaffold/scaffold.js";

export function addNew(program: Command): void {
  withOutputOptions(
    program
      .command("new")
      .description("write the package of a new bridge, which builds, tests and runs in the playground as it is")
      .argument("<name>", "the network's id, of a-z, 0-9 and -", parseName)
      .option("--directory <directory>", "where to write it; a new directory of that name where absent"),
  ).action(async (name: string, options: { readonly directory?: string; readonly json?: boolean }) => {
    const directory = resolve(options.directory ?? join(process.cwd(), name));
    const files = await scaffold(name, directory);
    const output = new Output(options.json ?? false);
    output.result({ directory, files }, () => {
      output.line(`Wrote ${files.length} files to ${directory}. Next, in that directory:`);
      output.line("  npm install");
      output.line("  npm test       what it does, held against a stand-in for the network");
      output.line("  npm start      the playground");
    });
  });
}

function parseName(text: string): string {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(text) || text.length > 40)
    throw new InvalidArgumentError("Expected a name like my-network: a-z, 0-9 and -, beginning with a letter.");
  return text;
}
