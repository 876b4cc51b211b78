/** Names of options, as a list that cannot fall behind its type. */

/**
 * Returns the names of an options type. A field of the type that is not in the table does not compile, nor does a name that
 * is no field: so an option that is added later cannot be refused as unknown, nor one that is gone be taken in silence.
 *
 * @example const NAMES = optionNames<LruStoreOptions>({ maxEntries: true, maxBytes: true })
 */
export function optionNames<Options extends object>(
  table: Readonly<Record<keyof Options, true>>,
): readonly (keyof Options & string)[] {
  return Object.keys(table) as (keyof Options & string)[]
}
