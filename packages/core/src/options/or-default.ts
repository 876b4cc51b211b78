/**
 * Returns what was given, or the default where nothing was. `??` would take `null` for nothing, and let a value from a
 * database or a query string pass that no check has seen.
 */
export function orDefault<Value, Default>(
  given: Value,
  value: Default,
): Exclude<Value, undefined> | Default {
  return given === undefined ? value : (given as Exclude<Value, undefined>)
}
