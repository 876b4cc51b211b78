/**
 * Examines whether a Redis can do what Larder needs.
 *
 * It tries things instead of trusting the name of the product: managed servers and other implementations refuse some commands, and do
 * not document all of them. When a check cannot be made, its result is unknown and the others go on. Nothing that exists is changed.
 */

import type { Inspection } from '@larder/redis-store/inspect'
import { type Check, unknown } from './check.ts'
import { checkBus } from './check-bus.ts'
import { checkClocks } from './check-clocks.ts'
import { checkCluster } from './check-cluster.ts'
import { checkConnections } from './check-connections.ts'
import { checkLatency } from './check-latency.ts'
import { checkMemory } from './check-memory.ts'
import { checkNeighbours } from './check-neighbours.ts'
import { checkNodes } from './check-nodes.ts'
import { checkPersistence } from './check-persistence.ts'
import { checkReplication } from './check-replication.ts'
import { checkRights } from './check-rights.ts'
import { checkScripts } from './check-scripts.ts'
import { checkVersion } from './check-version.ts'
import { checkWrites } from './check-writes.ts'
import type { Examined, ExamineOptions } from './examined.ts'

export type { Check, CheckState } from './check.ts'
export type { ExamineOptions } from './examined.ts'

type Checker = (examined: Examined) => Promise<Check>

/** In this order, by name. */
const CHECKS: Readonly<Record<string, Checker>> = {
  version: checkVersion,
  latency: checkLatency,
  rights: checkRights,
  writes: checkWrites,
  scripts: checkScripts,
  bus: checkBus,
  memory: checkMemory,
  persistence: checkPersistence,
  replication: checkReplication,
  clocks: checkClocks,
  cluster: checkCluster,
  connections: checkConnections,
  'other keys': checkNeighbours,
  nodes: checkNodes,
}

/** Yields one check after the other. @throws what the connection ended with */
export async function* examine(
  inspection: Inspection,
  options: ExamineOptions,
): AsyncGenerator<Check, void, undefined> {
  for (const [name, check] of Object.entries(CHECKS)) {
    options.signal?.throwIfAborted()
    yield await made(name, check, { ...options, inspection })
  }
}

/** Makes one check. Its result is unknown when the server refuses what it needs. @throws what the connection ended with */
async function made(name: string, check: Checker, examined: Examined): Promise<Check> {
  try {
    return await check(examined)
  } catch (error) {
    const isAnswer = error instanceof Error && /^[A-Z]{2,}[A-Z ]*\b/.test(error.message)
    if (!isAnswer) throw error
    return unknown(name, `The server does not say: ${error.message}`)
  }
}
