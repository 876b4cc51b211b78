/**
 * Prints what Larder costs on this machine, and writes the same as JSON and charts into results/.
 *
 * `npm run bench`, or with the parts that are asked: `npm run bench -- growth values`; with `-- --quick` in the short
 * form, which writes no results. Uses `REDIS_URL`, or a redis-server of its own.
 */

import { cpus } from 'node:os'
import { startRedis } from '../test/support/redis/redis-server.ts'
import { besidePeers } from './beside-peers.ts'
import { boards } from './boards.ts'
import { growth } from './growth/growth.ts'
import { hits } from './hits.ts'
import { imports } from './imports.ts'
import { messaging } from './messaging.ts'
import { line } from './report.ts'
import { resources } from './resources/resources.ts'
import { responses } from './responses.ts'
import { sessions } from './sessions.ts'
import { streams } from './streams.ts'
import { structures } from './structures.ts'
import { values } from './values/values.ts'
import { watched } from './watched.ts'
import { writeBehind } from './write-behind.ts'

interface PartOptions {
  readonly url: string
  readonly machine: string
  readonly rounds: number
  readonly isQuick: boolean
}

const PARTS: Readonly<Record<string, (options: PartOptions) => Promise<void>>> = {
  peers: besidePeers,
  hits,
  watched,
  growth,
  resources,
  values,
  sessions,
  responses,
  imports,
  boards,
  streams,
  messaging,
  structures,
  'write-behind': writeBehind,
}

const args = process.argv.slice(2)
const isQuick = args.includes('--quick')
const asked = args.filter((arg) => !arg.startsWith('--'))
const unknown = asked.find((part) => !Object.hasOwn(PARTS, part))
if (unknown !== undefined) {
  const names = Object.keys(PARTS).join(', ')
  process.stderr.write(`There is no part ${unknown}; there are: ${names}\n`)
  process.exit(1)
}

const rounds = isQuick ? 3 : 9
const server = process.env['REDIS_URL'] === undefined ? await startRedis() : undefined
const url = server?.url ?? process.env['REDIS_URL'] ?? ''
const [processor] = cpus()
const machine = `Node ${process.version}, ${cpus().length} × ${processor?.model ?? 'unknown'}`
line(`${machine}; medians of ${rounds} rounds, contestants in turn`)
for (const [name, part] of Object.entries(PARTS))
  if (asked.length === 0 || asked.includes(name)) await part({ url, machine, rounds, isQuick })
await server?.stop()
