/** Adds values at the end of a list, however many: as the arguments of one call, too many would not fit the stack. */
export function append<Value>(to: Value[], values: readonly Value[]): void {
  for (const value of values) to.push(value);
}
