import { readFile } from "node:fs/promises";
import type { Problem } from "../config/problem.js";
import { fileErrorText } from "../config/error-text.js";
import { validate } from "../config/validate.js";
import { readYaml } from "../config/yaml-source.js";
import { checkRegistration } from "./registration-check.js";
import { registrationFileSchema } from "./registration-file.js";
import { Registration } from "./registration.js";

/** What came of reading a registration. */
export interface RegistrationReading {
  /** Absent where a problem is an error. */
  readonly registration?: Registration;
  readonly problems: readonly Problem[];
}

/** Reads and validates a registration file; a file that cannot be read is a problem like any other. */
export async function readRegistration(file: string, serverName: string): Promise<RegistrationReading> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const message = `cannot read this registration: ${fileErrorText(error)}; make one with: trestle registration generate`;
    return { problems: [{ severity: "error", file, path: [], message }] };
  }
  return parseRegistration(text, file, serverName);
}

/** Validates the text of a registration file (YAML, so also JSON). */
export function parseRegistration(text: string, file: string, serverName: string): RegistrationReading {
  const yaml = readYaml(text, file);
  if (!yaml.ok) return { problems: [yaml.problem] };
  const { source } = yaml;
  const validated = validate(registrationFileSchema, source.value);
  const remarks = validated.ok
    ? checkRegistration(validated.value, serverName)
    : validated.faults.map((fault) => ({ ...fault, severity: "error" as const }));
  const problems = remarks.map((remark): Problem => {
    const line = source.locate(remark.path);
    return { ...remark, file, ...(line !== undefined && { line }) };
  });
  if (!validated.ok || problems.some((each) => each.severity === "error")) return { problems };
  return { registration: new Registration(validated.value, serverName), problems };
}

/** A registration and the file it is from. */
export interface NamedRegistration {
  /** The bridge. */
  readonly name: string;
  readonly file: string;
  readonly registration: Registration;
}

/** What is wrong between registrations that are each right: the same id or token, or users that belong to two bridges. */
export function checkTogether(registrations: readonly NamedRegistration[]): Problem[] {
  return registrations.flatMap((one, index) =>
    registrations.slice(index + 1).flatMap((other) => checkPair(one, other)),
  );
}

function checkPair(one: NamedRegistration, other: NamedRegistration): Problem[] {
  const problem = (path: string, message: string): Problem => ({
    severity: "error",
    file: other.file,
    path: [path],
    message,
  });
  if (one.file === other.file) {
    return [
      problem(
        "id",
        `is the registration of the bridges ${one.name} and ${other.name}; each bridge needs one of its own`,
      ),
    ];
  }
  const [a, b] = [one.registration, other.registration];
  const found: Problem[] = [];
  if (a.id === b.id)
    found.push(problem("id", `${JSON.stringify(a.id)} is also the id in ${one.file}; homeservers refuse that`));
  if (a.asToken === b.asToken)
    found.push(problem("as_token", `is also the as_token in ${one.file}; each registration needs its own`));
  if (a.hsToken === b.hsToken)
    found.push(problem("hs_token", `is also the hs_token in ${one.file}; each registration needs its own`));
  if (a.bot === b.bot)
    found.push(problem("sender_localpart", `is also the bot in ${one.file}; each bridge needs a bot of its own`));
  const shared = [a.bot, b.bot, a.userId(`${a.ghostPrefix}someone`), b.userId(`${b.ghostPrefix}someone`)].find(
    (user) => a.isOwnUser(user) && b.isOwnUser(user),
  );
  if (shared !== undefined && a.bot !== b.bot) {
    found.push(
      problem(
        "namespaces",
        `overlaps with ${one.file}: ${shared} would belong to ${one.name} and ${other.name}; use different prefixes`,
      ),
    );
  }
  return found;
}
