/**
 * Limits of Larder and of rate-limiter-flexible under the same attacks, one table; part of `npm run duel`, with `-- --quick`
 * for Larder alone. Fails only for what Larder promises itself.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LIMITERS } from './contestants.ts'
import { costOfRefusals, QUESTIONS, withRedis } from './questions.ts'

const NAME_WIDTH = 22
const CELL_WIDTH = 28

/** Prints the table; returns what Larder promised and did not keep. */
export async function duelOfLimits(isQuick: boolean): Promise<readonly string[]> {
  const chosen = isQuick ? LIMITERS.filter(({ name }) => name.startsWith('Larder')) : LIMITERS
  const broken: string[] = []
  const rows: Record<string, string>[] = []
  for (const { what, ask } of QUESTIONS) {
    process.stdout.write(`\nlimits: ${what}\n`)
    for (const entry of chosen) {
      const { text, isKept } = await withRedis((redis) => ask(entry, redis))
      process.stdout.write(`  ${entry.name.padEnd(NAME_WIDTH)} ${text.padStart(CELL_WIDTH)}\n`)
      rows.push({ what, contestant: entry.name, text })
      if (!isKept && entry.name.startsWith('Larder')) broken.push(`${entry.name}: ${what}`)
    }
  }
  const what = '10 refusals by one of two policies cost the other'
  process.stdout.write(`\nlimits: ${what}\n`)
  for (const [name, cost] of await withRedis(({ url }) => costOfRefusals(url))) {
    if (isQuick && name !== 'Larder') continue
    process.stdout.write(`  ${name.padEnd(NAME_WIDTH)} ${String(cost).padStart(CELL_WIDTH)}\n`)
    rows.push({ what, contestant: name, text: String(cost) })
    if (name === 'Larder' && cost > 0) broken.push(`${name}: ${what}`)
  }
  if (!isQuick) {
    const folder = join(import.meta.dirname, '..', '..', 'results')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'duel-limits.json'), `${JSON.stringify(rows, null, 2)}\n`)
  }
  return broken
}
