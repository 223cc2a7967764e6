#!/usr/bin/env node
import { program } from "../dist/cli.js";

try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
