/**
 * What does a cold import cost, next to peers with the same tiers (P12)? Whole processes, in turn, each importing one
 * contestant and nothing else. Counts the processor's time, so that a busy machine does not show; what the same process takes
 * without an import is left out.
 */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { line, printRows, printTargets, type Target, writeJson } from './report.ts'

export interface ImportsOptions {
  readonly machine: string
  readonly rounds: number
  readonly isQuick: boolean
}

/** Medians, ms. */
export interface Import {
  readonly name: string
  readonly processorMs: number
  readonly wallMs: number
}

const OURS = ['@larder/core', '@larder/local-store', '@larder/redis-store']
const BENTO = ['bentocache', 'bentocache/drivers/memory', 'bentocache/drivers/redis']
const CONTESTANTS: Readonly<Record<string, readonly string[]>> = {
  nothing: [],
  '@larder/core': ['@larder/core'],
  'Larder: core, local-store, redis-store': OURS,
  'the same, and ioredis, which they load to connect': [...OURS, 'ioredis'],
  'bentocache with its memory and redis drivers': BENTO,
  'layered-loader with redis': ['layered-loader', 'layered-loader/redis', 'ioredis'],
  'async-cache-dedupe and ioredis': ['async-cache-dedupe', 'ioredis'],
  'cacheable with @keyv/redis': ['cacheable', '@keyv/redis'],
  'ioredis alone': ['ioredis'],
}
const MOST_MS = 60

const run = promisify(execFile)

export async function imports({ machine, rounds, isQuick }: ImportsOptions): Promise<void> {
  const samples = new Map<string, Omit<Import, 'name'>[]>()
  for (let round = 0; round < rounds; round++) {
    for (const [name, modules] of Object.entries(CONTESTANTS)) {
      const taken = samples.get(name) ?? []
      samples.set(name, [...taken, await importOf(modules)])
    }
  }
  const answers = overNothing(samples)
  printRows(
    'Cold import, over a process that imports nothing',
    answers.map(({ name, processorMs, wallMs }) => [
      name,
      `${processorMs.toFixed(0)} ms of the processor`,
      `${wallMs.toFixed(0)} ms`,
    ]),
  )
  const targets = importTargets(answers)
  printTargets(targets)
  if (isQuick) line('Few processes: these figures are rough')
  else writeJson('imports', { machine, rounds, answers, targets })
}

/** Imports in a process of its own. The clocks begin before the first module is looked for. */
async function importOf(modules: readonly string[]): Promise<Omit<Import, 'name'>> {
  const loads = modules.map((name) => `import('${name}')`).join(', ')
  const code = `const from = performance.now()
    const used = process.cpuUsage()
    await Promise.all([${loads}])
    const { user, system } = process.cpuUsage(used)
    console.log(JSON.stringify([(user + system) / 1_000, performance.now() - from]))
    process.exit()`
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: import.meta.dirname,
  })
  const [processorMs = Number.NaN, wallMs = Number.NaN] = JSON.parse(stdout) as readonly number[]
  return { processorMs, wallMs }
}

function overNothing(
  samples: ReadonlyMap<string, readonly Omit<Import, 'name'>[]>,
): readonly Import[] {
  const medians = [...samples].map(([name, taken]) => ({
    name,
    processorMs: median(taken.map(({ processorMs }) => processorMs)),
    wallMs: median(taken.map(({ wallMs }) => wallMs)),
  }))
  const [nothing, ...others] = medians
  return others.map(({ name, processorMs, wallMs }) => ({
    name,
    processorMs: processorMs - (nothing?.processorMs ?? 0),
    wallMs: wallMs - (nothing?.wallMs ?? 0),
  }))
}

function importTargets(answers: readonly Import[]): readonly Target[] {
  const msOf = (start: string): number =>
    answers.find(({ name }) => name.startsWith(start))?.processorMs ?? Number.NaN
  const ours = msOf('Larder')
  return [
    {
      id: 'P12',
      what: "import of the three packages, time over bentocache's",
      measured: ours / msOf('bentocache'),
      atMost: 1,
    },
    {
      id: 'P12',
      what: 'import of the three packages, ms of the processor',
      measured: ours,
      atMost: MOST_MS,
    },
  ]
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
