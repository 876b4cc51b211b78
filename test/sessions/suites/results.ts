/** What suites say of their cases, whichever runner they have. */

export interface CaseResult {
  readonly name: string
  readonly isPassed: boolean
  /** What the runner says of a failure. */
  readonly said?: string
}

export interface Excuse {
  readonly name: string
  readonly reason: string
}

/** Of mocha's JSON report, which other output may come before. */
export function casesOfMocha(output: string): readonly CaseResult[] {
  const report = JSON.parse(output.slice(output.indexOf('{\n  "stats"'))) as {
    readonly passes: readonly { readonly fullTitle: string }[]
    readonly failures: readonly {
      readonly fullTitle: string
      readonly err: { readonly message?: string }
    }[]
  }
  return [
    ...report.passes.map(({ fullTitle: name }) => ({ name, isPassed: true })),
    ...report.failures.map(({ fullTitle: name, err }) => ({
      name,
      isPassed: false,
      said: err.message ?? '',
    })),
  ]
}

const TAP_LINE = /^(not ok|ok) \d+ - (.*?)(?: # .*)?$/gm

/** Of the outermost lines of TAP. */
export function casesOfTap(output: string): readonly CaseResult[] {
  return [...output.matchAll(TAP_LINE)].map(([, word, name = '']) => ({
    name: name.trim(),
    isPassed: word === 'ok',
  }))
}

/** Failures without an excuse, and excuses without a failure. */
export function verdictOf(results: readonly CaseResult[], excuses: readonly Excuse[]) {
  const names = new Set(excuses.map(({ name }) => name))
  const failed = new Map(
    results.filter(({ isPassed }) => !isPassed).map(({ name, said = '' }) => [name, said]),
  )
  const unexpected = [
    ...[...failed]
      .filter(([name]) => !names.has(name))
      .map(([name, said]) => `failed: ${name}${said === '' ? '' : ` (${said})`}`),
    ...[...names].filter((name) => !failed.has(name)).map((name) => `no longer fails: ${name}`),
  ]
  const passed = results.filter(({ isPassed }) => isPassed).length
  return { passed, excused: results.length - passed, unexpected }
}
