/** The simulation as a program; see run.mjs for how it is called. */

import { parseArgs } from 'node:util'
import { OPEN, takeIn } from './open.ts'
import { REMOVALS, without } from './removals.ts'
import { runSeeds } from './seeds.ts'
import { type Run, simulate } from './simulate.ts'

const HELP = `Runs the engine's code on a simulated network, clock and store, one seed a run, and checks the protocol's invariants.

  node test/simulation/run.mjs [options]

  --seeds N          how many seeds to run (default 5000)
  --from N           the first seed (default 1)
  --nodes N          a fleet of so many nodes, instead of the few that each seed draws
  --jobs N           processes that share the seeds (default 1)
  --seed N           replay one seed and print its whole history
  --all              go on after a failure, and list every seed that fails
  --last N           lines of history to print on a failure (default 150)
  --with NAMES       take in what is left out because the engine does not bear it yet, a list with commas:
                     ${OPEN.join(', ')}
  --without NAME     take a mechanism of the engine away; then failures are what is expected:
                     ${Object.keys(REMOVALS).join(', ')}
  --help             this text

Exits with 1 when a seed fails. The same seed gives the same history, line for line.
`

const REPORT_EVERY_MS = 5_000

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '5000' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      nodes: { type: 'string' },
      step: { type: 'string', default: '1' },
      jobs: { type: 'string' },
      last: { type: 'string', default: '150' },
      with: { type: 'string', default: '' },
      without: { type: 'string' },
      all: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return
  }
  takeIn(values.with.split(',').filter((name) => name !== ''))
  const nodes = values.nodes === undefined ? undefined : wholeNumber('nodes', values.nodes)
  await without(values.without, () =>
    values.seed === undefined ? runMany() : replay(values.seed, nodes),
  )

  async function runMany(): Promise<void> {
    const range = {
      from: wholeNumber('from', values.from),
      count: wholeNumber('seeds', values.seeds),
      step: wholeNumber('step', values.step),
    }
    const progress = new Progress()
    const { count, turns, failures } = await runSeeds(range, {
      goesOn: values.all,
      nodes,
      onSeed: (run) => progress.note(run, values.all),
    })
    progress.end(count, turns)
    const [first] = failures
    if (first === undefined) return
    process.exitCode = 1
    if (!values.all) printFailure(first, wholeNumber('last', values.last))
  }
}

async function replay(text: string, nodes: number | undefined): Promise<void> {
  const run = await simulate(wholeNumber('seed', text), nodes)
  process.stdout.write(`${run.history()}\n`)
  if (run.violation === undefined) process.stdout.write('Nothing went against the protocol.\n')
  else process.exitCode = 1
}

function printFailure(run: Run, lines: number): void {
  process.stdout.write(
    `\nSeed ${run.seed} fails: ${run.violation}\n\n${run.history(lines)}\n\n` +
      `The whole history: node test/simulation/run.mjs --seed ${run.seed}\n`,
  )
}

/** Says how fast it goes. Time is only shown, never part of what happens. */
class Progress {
  readonly #startedAt = performance.now()
  #reportedAt = performance.now()
  #count = 0
  #failed = 0

  note(run: Run, listsFailures: boolean): void {
    this.#count += 1
    if (run.violation !== undefined) {
      this.#failed += 1
      if (listsFailures) process.stdout.write(`seed ${run.seed} (${run.about}): ${run.violation}\n`)
    }
    const now = performance.now()
    if (now - this.#reportedAt < REPORT_EVERY_MS) return
    this.#reportedAt = now
    process.stderr.write(`${this.#count} seeds, ${this.#rate(this.#count)} seeds/s\n`)
  }

  end(count: number, turns: number): void {
    const perSeed = Math.round(turns / Math.max(1, count))
    process.stdout.write(
      `${count} seeds, ${this.#failed} failed; ${this.#rate(count)} seeds/s, ${perSeed} turns a seed\n`,
    )
  }

  #rate(count: number): string {
    return (count / ((performance.now() - this.#startedAt) / 1_000)).toFixed(0)
  }
}

/** @throws TypeError unless the text is a whole number from 0 */
function wholeNumber(option: string, text: string | undefined): number {
  const number = Number(text)
  if (text !== '' && Number.isSafeInteger(number) && number >= 0) return number
  throw new TypeError(`--${option} must be a whole number, got '${text}'`)
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
})
