import type { Json } from "./shape.js";

/** Calls the Web API without any library, as a form or as JSON. */
export async function call(
  apiUrl: string,
  token: string | undefined,
  method: string,
  args: Record<string, Json> = {},
  as: "form" | "json" = "form",
): Promise<{ [key: string]: Json }> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const form = new URLSearchParams();
  for (const [key, value] of Object.entries(args))
    form.set(key, typeof value === "string" ? value : JSON.stringify(value));
  headers["content-type"] = as === "json" ? "application/json; charset=utf-8" : "application/x-www-form-urlencoded";
  const response = await fetch(new URL(method, apiUrl), {
    method: "POST",
    headers,
    body: as === "json" ? JSON.stringify(args) : form.toString(),
  });
  const answer: unknown = await response.json();
  if (typeof answer !== "object" || answer === null) throw new Error(`${method} answered no object`);
  return Object.fromEntries(Object.entries(answer));
}

/** A path into an answer, as text. */
export function textAt(value: Json | undefined, ...path: (string | number)[]): string {
  const found = at(value, ...path);
  if (typeof found !== "string") throw new Error(`No text at ${path.join(".")}: ${JSON.stringify(value)}`);
  return found;
}

/** A path into an answer. */
export function at(value: Json | undefined, ...path: (string | number)[]): Json | undefined {
  let current = value;
  for (const step of path) {
    if (Array.isArray(current)) current = current[Number(step)];
    else if (typeof current === "object" && current !== null) current = current[String(step)];
    else return undefined;
  }
  return current;
}
