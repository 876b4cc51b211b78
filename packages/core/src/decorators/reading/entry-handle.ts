/** The handle on the entries behind a method. */

/**
 * The entries behind a method, by the method's own arguments.
 *
 * For a method with `each`, every operation but `key` works on all elements of the list.
 */
export interface MethodEntries<Args extends readonly unknown[], Result> {
  /** The full key of a call's entry. */
  key(...args: Args): string
  /** What is cached and may be served now, without loading. */
  peek(...args: Args): Promise<Result | undefined>
  /** Evicts a call's entry everywhere. */
  evict(...args: Args): Promise<void>
  /** Runs the method and caches what it returns, whatever was cached. */
  refresh(...args: Args): Promise<Result>
  /** Caches a value as if a call had returned it. */
  set(args: Args, value: Result): Promise<void>
}

/** `MethodEntries` with its types erased. */
export type AnyMethodEntries = MethodEntries<readonly unknown[], unknown>
