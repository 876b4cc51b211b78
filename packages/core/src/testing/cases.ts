/** Conformance suites are data: named cases that any test runner can run. */

/** One fact about an implementation; `run` throws when it doesn't hold. */
export interface ConformanceCase {
  readonly name: string
  /** Why the case does not apply, where it doesn't: the implementation says it cannot do this. */
  readonly skipped?: string | undefined
  run(): Promise<void>
}

/** The part of a test runner that is needed; `test` of vitest, node:test and jest fits. */
export type TestFunction = ((name: string, run: () => Promise<void>) => unknown) & {
  readonly skip: (name: string, run: () => Promise<void>) => unknown
}

/** Registers cases as tests; those that do not apply are skipped with the reason in their name. */
export function runCases(cases: readonly ConformanceCase[], test: TestFunction): void {
  for (const { name, skipped, run } of cases) {
    if (skipped === undefined) test(name, () => run())
    else test.skip(`${name} (${skipped})`, () => run())
  }
}
