/** Compares JSON by its shape: which fields there are and of which types. */
type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

function typeOf(value: Json): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether the keys of an object are data (ids, names) and no field names. */
function isMap(path: string): boolean {
  return /\.emoji$|\.shares\.(?:public|private)$|\.event_payload$/.test(path);
}

/** One value that has all that any of the values has. */
function merge(values: readonly Json[]): Json {
  const [first] = values;
  if (first === undefined) return null;
  const objects = values.filter(isObject);
  if (objects.length > 0) {
    const merged: { [key: string]: Json } = {};
    for (const key of new Set(objects.flatMap((object) => Object.keys(object))))
      merged[key] = merge(objects.flatMap((object) => (object[key] === undefined ? [] : [object[key]])));
    return merged;
  }
  const arrays = values.filter((value): value is Json[] => Array.isArray(value));
  return arrays.length > 0 ? arrays.flat() : first;
}

const mergedLists = new WeakMap<Json[], Map<string | undefined, Json>>();

/** All items of a list in one, or all of a type; merged once, as the lists are long. */
function mergedItems(list: Json[], type: string | undefined): Json {
  const byType = mergedLists.get(list) ?? new Map<string | undefined, Json>();
  mergedLists.set(list, byType);
  const known = byType.get(type);
  if (known !== undefined) return known;
  const merged = merge(type === undefined ? list : list.filter((each) => isObject(each) && each.type === type));
  byType.set(type, merged);
  return merged;
}

/** Where a value has something the sample lacks or has otherwise: `path: what`. Empty when it is a sub-shape. */
export function deviations(value: Json, sample: Json, path = "$"): string[] {
  if (typeOf(value) !== typeOf(sample)) return [`${path}: ${typeOf(value)} instead of ${typeOf(sample)}`];
  if (Array.isArray(value) && Array.isArray(sample)) {
    if (sample.length === 0) return [];
    return value.flatMap((item) => {
      const type = isObject(item) && typeof item.type === "string" ? item.type : undefined;
      const typed = sample.some((each) => isObject(each) && typeof each.type === "string" && each.type !== "");
      const alike = sample.filter((each) => isObject(each) && each.type === type);
      if (type !== undefined && typed && alike.length === 0)
        return [`${path}[]: nothing of the type ${type} in the sample`];
      return deviations(item, mergedItems(sample, alike.length > 0 ? type : undefined), `${path}[]`);
    });
  }
  if (!isObject(value) || !isObject(sample)) return [];
  const some = Object.values(sample);
  const any = isMap(path) && some.length > 0 ? merge(some) : undefined;
  return Object.entries(value).flatMap(([key, item]) => {
    const expected = sample[key] ?? any;
    if (expected === undefined) return isMap(path) ? [] : [`${path}.${key}: not in the sample`];
    return deviations(item, expected, isMap(path) ? `${path}.*` : `${path}.${key}`);
  });
}

export type { Json };
