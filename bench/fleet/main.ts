/**
 * What does a fleet cost Redis? Many real nodes in a few processes, over a Redis and a Cluster of their own, beside nodes that
 * do DEL and PUBLISH, and nodes that send a PING now and then; Redis itself is asked what it did.
 *
 * `npm run fleet -- --nodes 1000`; `--nodes` takes a list (10,100,400 by default), `--quick` is short and writes no results,
 * `--only idle`, `load` or `cluster` asks that alone.
 */

import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { startCluster } from '../../test/support/redis/redis-cluster.ts'
import { startRedis } from '../../test/support/redis/redis-server.ts'
import { line, printTargets, writeJson } from '../report.ts'
import { type FanOut, fanOut } from './fan-out.ts'
import { atRest, type Lengths, type LoadSize, type Size, underLoad } from './measure.ts'
import { printFanOut, printLoad, printSizes } from './print.ts'
import type { SchemeName, Servers } from './schemes.ts'
import { targetsOf } from './targets.ts'

const { values } = parseArgs({
  options: {
    nodes: { type: 'string' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
})
const isQuick = values.quick
const counts = (values.nodes ?? (isQuick ? '6' : '10,100,400')).split(',').map(wholeNumber)
const lengths: Lengths = isQuick
  ? { settleMs: 1_000, idleMs: 1_500, evictions: 30, loadMs: 2_000 }
  : { settleMs: 4_000, idleMs: 10_000, evictions: 300, loadMs: 6_000 }
/** What P20 asks for. */
const PER_SECOND = isQuick ? 500 : 5_000
const MESSAGE_BYTES = [100, 1_000, 4_000, 16_000]
const SCHEMES: readonly SchemeName[] = ['Larder', 'DEL + PUBLISH']
const AT_REST: readonly SchemeName[] = [...SCHEMES, 'one PING']
const asks = (part: string): boolean => values.only === undefined || values.only === part

const machine = `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`
line(`${machine}; µs are of Redis's processor, system calls included, as INFO has them`)
const sizes: Size[] = []
const loads: LoadSize[] = []
const messages: FanOut[] = []
const largest = Math.max(...counts)

await withRedis(async (servers) => {
  if (asks('idle')) await sizesOn(servers)
  if (!asks('load')) return
  messages.push(...(await fanOut(servers, largest, MESSAGE_BYTES, isQuick ? 20 : 200)))
  printFanOut(messages)
  for (const nodes of counts) {
    for (const scheme of SCHEMES)
      loads.push(await underLoad({ scheme, servers, nodes, lengths }, PER_SECOND))
  }
  printLoad(loads)
})
if (asks('cluster')) {
  await using cluster = await startCluster()
  const urls = (await cluster.masters()).map(({ url }) => url)
  await sizesOn({ urls, isCluster: true })
}
printTargets(targetsOf(sizes, loads))
if (!isQuick && values.only === undefined) writeJson('fleet', { machine, sizes, messages, loads })

async function sizesOn(servers: Servers): Promise<void> {
  const found: Size[] = []
  for (const nodes of counts) {
    for (const scheme of AT_REST) found.push(await atRest({ scheme, servers, nodes, lengths }))
  }
  printSizes(found)
  sizes.push(...found)
}

async function withRedis(run: (servers: Servers) => Promise<void>): Promise<void> {
  const server = await startRedis({ args: ['--maxclients', '10000'] })
  try {
    await run({ urls: [server.url], isCluster: false })
  } finally {
    await server.stop()
  }
}

/** @throws TypeError unless the text is a whole number from 1 */
function wholeNumber(text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number) && number >= 1) return number
  throw new TypeError(
    `--nodes must be whole numbers from 1 with commas between them, got '${text}'`,
  )
}
