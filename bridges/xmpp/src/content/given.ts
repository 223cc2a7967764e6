type Given<Fields> = { [Name in keyof Fields as undefined extends Fields[Name] ? never : Name]: Fields[Name] } & {
  [Name in keyof Fields as undefined extends Fields[Name] ? Name : never]?: Exclude<Fields[Name], undefined>;
};

/** The object without its `undefined` fields: an optional field is absent, never `undefined`. */
export function given<const Fields extends object>(fields: Fields): Given<Fields>;
export function given(fields: object): object {
  const values = Object.entries(fields);
  // Every stanza passes here several times.
  if (values.every(([, value]) => value !== undefined)) return fields;
  const kept: Record<string, unknown> = {};
  for (const [name, value] of values) if (value !== undefined) kept[name] = value;
  return kept;
}
