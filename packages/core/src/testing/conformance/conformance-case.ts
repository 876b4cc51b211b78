/** Conformance cases as data, so that any test runner, or none, can run them. */

/** The outcome of a case that did not fail; a failing one rejects. */
export type CaseOutcome =
  | { readonly kind: 'passed' }
  /** The store does not claim what the case is about. */
  | { readonly kind: 'skipped'; readonly reason: string }

/** One fact about a contract, on fresh stores. */
export interface ConformanceCase {
  readonly name: string
  /** @throws AssertionError, or whatever the store rejects with. */
  run(): Promise<CaseOutcome>
}

/** The part of a test's context that reports it as skipped: `context.skip(reason)` in vitest and node:test alike. */
export interface SkippableContext {
  // biome-ignore lint/suspicious/noExplicitAny: runners return nothing, or never return.
  skip(reason?: string): any
}

/** A test runner's `test`, as far as it is used here: vitest's and node:test's fit. */
export type TestFunction = (
  name: string,
  run: (context: SkippableContext) => Promise<void>,
) => unknown

export const PASSED: CaseOutcome = { kind: 'passed' }

export function skippedFor(reason: string): CaseOutcome {
  return { kind: 'skipped', reason }
}

/**
 * Registers each case as a test of a runner. Cases the store cannot be held to are reported as skipped, with the reason.
 *
 * @example
 * import { test } from 'vitest' // or from 'node:test'
 * runCases(remoteStoreCases(makeStores), { test })
 */
export function runCases(
  cases: readonly ConformanceCase[],
  runner: { readonly test: TestFunction },
): void {
  for (const { name, run } of cases) {
    runner.test(name, async (context) => {
      const outcome = await run()
      if (outcome.kind === 'skipped') context.skip(outcome.reason)
    })
  }
}
