/** How a few properties of CSS (XEP-0071 §8.5) become tags of Matrix HTML; all others are ignored. */
export function styleTags(style: string): { readonly start: string; readonly end: string } {
  if (style === "" || style.length > 1_000) return { start: "", end: "" };
  const [starts, ends]: [string[], string[]] = [[], []];
  const add = (tag: string, attributes = ""): void => {
    starts.push(`<${tag}${attributes}>`);
    ends.unshift(`</${tag}>`);
  };
  const properties = readProperties(style);
  const weight = properties.get("font-weight") ?? "";
  if (/^(?:bold|bolder|[6-9]00)$/.test(weight)) add("b");
  if (/^(?:italic|oblique)$/.test(properties.get("font-style") ?? "")) add("i");
  const decoration = (properties.get("text-decoration") ?? "").split(" ");
  if (decoration.includes("underline")) add("u");
  if (decoration.includes("line-through")) add("del");
  const colours = colourAttributes(properties);
  if (colours !== "") add("span", colours);
  return { start: starts.join(""), end: ends.join("") };
}

function readProperties(style: string): ReadonlyMap<string, string> {
  return new Map(
    style
      .toLowerCase()
      .split(";")
      .map((declaration): [string, string] => {
        const [name = "", ...value] = declaration.split(":");
        return [name.trim(), value.join(":").trim().replace(/\s+/g, " ")];
      }),
  );
}

function colourAttributes(properties: ReadonlyMap<string, string>): string {
  const [foreground, background] = [colourOf(properties.get("color")), colourOf(properties.get("background-color"))];
  return (
    (foreground === undefined ? "" : ` data-mx-color="${foreground}"`) +
    (background === undefined ? "" : ` data-mx-bg-color="${background}"`)
  );
}

/** `#rgb`, `#rrggbb`, `rgb(r, g, b)` or a name; the reader of Matrix HTML drops names that it does not know. */
function colourOf(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (/^(?:#[0-9a-f]{3}|#[0-9a-f]{6}|[a-z]{3,20})$/.test(value)) return value;
  const parts = /^rgb\( ?(\d{1,3}) ?, ?(\d{1,3}) ?, ?(\d{1,3}) ?\)$/.exec(value)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) return undefined;
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}
