/**
 * Locks of Larder, redlock and redis-semaphore under the same faults, one table; part of `npm run duel`, with `-- --quick` for
 * Larder alone. Fails only for what Larder promises itself.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withRedis } from '../limits/questions.ts'
import { LOCKERS } from './contestants.ts'
import { QUESTIONS } from './questions.ts'

const NAME_WIDTH = 24
const CELL_WIDTH = 34

/** Prints the table; returns what Larder promised and did not keep. */
export async function duelOfLocks(isQuick: boolean): Promise<readonly string[]> {
  const chosen = isQuick ? LOCKERS.filter(({ name }) => name === 'Larder') : LOCKERS
  const broken: string[] = []
  const rows: Record<string, string>[] = []
  // A contestant that leaves a rejection to nobody is not to end the fight.
  const ignore = (): void => undefined
  process.on('unhandledRejection', ignore)
  try {
    for (const { what, ask } of QUESTIONS) {
      process.stdout.write(`\nlocks: ${what}\n`)
      for (const entry of chosen) {
        const { text, isKept } = await withRedis((redis) => ask(entry, redis))
        process.stdout.write(`  ${entry.name.padEnd(NAME_WIDTH)} ${text.padStart(CELL_WIDTH)}\n`)
        rows.push({ what, contestant: entry.name, text })
        if (!isKept && entry.name === 'Larder') broken.push(`${entry.name}: ${what}`)
      }
    }
  } finally {
    process.off('unhandledRejection', ignore)
  }
  if (!isQuick) {
    const folder = join(import.meta.dirname, '..', '..', 'results')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'duel-locks.json'), `${JSON.stringify(rows, null, 2)}\n`)
  }
  return broken
}
