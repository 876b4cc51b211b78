/** What do values cost, by shape and size, beside V8's JSON and a plain client? Each shape in a process of its own. */

import { apart } from '../apart.ts'
import { nanoseconds } from '../growth/kit.ts'
import { printRows, printTargets, type Target, writeJson } from '../report.ts'
import { oneShape, type Size, type ValueCost } from './one-shape.ts'
import { SHAPES } from './shapes.ts'

export interface ValueOptions {
  readonly url: string
  readonly machine: string
  readonly rounds: number
  readonly isQuick: boolean
}

const SIZES: readonly Size[] = [
  { name: '100 B', bytes: 100 },
  { name: '1 kB', bytes: 1_000 },
  { name: '10 kB', bytes: 10_000 },
  { name: '100 kB', bytes: 100_000 },
  { name: '1 MB', bytes: 1_000_000 },
]
const LARGEST = '1 MB'

/** Asks all of it, prints it and the targets, and writes values.json. */
export async function values({ url, machine, rounds, isQuick }: ValueOptions): Promise<void> {
  const ask = apart(new URL('./one-shape.ts', import.meta.url).href, oneShape)
  const sizes = isQuick ? SIZES.filter(({ name }) => name === '1 kB' || name === LARGEST) : SIZES
  const costs: ValueCost[] = []
  for (const { name } of SHAPES) {
    const found = await ask(url, name, sizes, rounds)
    costs.push(...found)
    printRows(`Values: ${name}`, found.map(cells))
  }
  const targets = targetsOf(costs, sizes)
  printTargets(targets)
  if (!isQuick) writeJson('values', { machine, rounds, costs, targets })
}

function cells(cost: ValueCost): readonly string[] {
  return [
    `${cost.size}, ${cost.storedBytes} bytes for ${cost.jsonBytes} of JSON`,
    `encode ${nanoseconds(cost.encodeNs)}`.padStart(16),
    `JSON.stringify × ${writeRatio(cost).toFixed(2)}`,
    `decode, frozen ${nanoseconds(cost.decodeNs)}`.padStart(24),
    `JSON.parse × ${readRatio(cost).toFixed(2)}`,
    `remote hit ${nanoseconds(cost.hitNs)}`.padStart(20),
    `speed × ${hitRatio(cost).toFixed(2)} of plain ioredis`,
  ]
}

const writeRatio = ({ encodeNs, stringifyNs }: ValueCost): number => encodeNs / stringifyNs
const readRatio = ({ decodeNs, parseNs }: ValueCost): number => decodeNs / parseNs
const hitRatio = ({ hitNs, plainHitNs }: ValueCost): number => plainHitNs / hitNs

/** Each by the shape that is worst. */
function targetsOf(costs: readonly ValueCost[], sizes: readonly Size[]): readonly Target[] {
  const hits = sizes.map(({ name }): Target => {
    const [worst] = costs
      .filter(({ size }) => size === name)
      .sort((a, b) => hitRatio(a) - hitRatio(b))
    const what = `remote hit of ${name}, speed over plain ioredis: ${worst?.shape}`
    return { id: 'P14', what, measured: ratioOf(worst, hitRatio), atLeast: 1 }
  })
  const largest = costs.filter(({ size }) => size === LARGEST)
  const [written] = [...largest].sort((a, b) => writeRatio(b) - writeRatio(a))
  const [read] = [...largest].sort((a, b) => readRatio(b) - readRatio(a))
  return [
    ...hits,
    {
      id: 'P15',
      what: `encoding ${LARGEST}, time over JSON.stringify: ${written?.shape}`,
      measured: ratioOf(written, writeRatio),
      atMost: 1.2,
    },
    {
      id: 'P15',
      what: `decoding and freezing ${LARGEST}, time over JSON.parse: ${read?.shape}`,
      measured: ratioOf(read, readRatio),
      atMost: 1.2,
    },
  ]
}

function ratioOf(cost: ValueCost | undefined, ratio: (cost: ValueCost) => number): number {
  return cost === undefined ? Number.NaN : ratio(cost)
}
