import { tagText } from '@larder/core/store'
import { type EntryFacts, type Explanation, explainEntry, msOf } from '@larder/redis-store/inspect'
import type { Session } from '../connect/session.ts'
import { EXIT } from '../failure.ts'
import { visible } from '../output/escape.ts'
import type { Style } from '../output/output.ts'
import { pairLines } from '../output/pairs.ts'
import { instantText, spanText } from '../output/units.ts'
import { fullKeyFrom } from './full-key.ts'
import { assertKnown } from './looked.ts'

const STYLES: Readonly<Record<Explanation['outcome'], Style>> = {
  hit: 'green',
  stale: 'yellow',
  miss: 'red',
}

const SHOWN_CHANGES = 5

export async function runExplain(session: Session): Promise<number> {
  const { inspection, namespace, words, out } = session
  const key = fullKeyFrom(words[0] ?? '', namespace)
  await assertKnown(session)
  const facts = await inspection.entry(namespace, key)
  const explanation = await asRead(session, key, explainEntry(facts))
  const { outcome, words: sentence } = explanation
  await out.one(dataOf(facts, explanation), () => [
    `${out.paint(STYLES[outcome], outcome)}  ${visible(sentence)}`,
    '',
    ...detailLines(facts),
  ])
  return EXIT.done
}

/** Where the application's codec is known: a value that it cannot decode is a miss, whatever the header says. */
async function asRead(
  { inspection, namespace, value }: Session,
  key: string,
  explanation: Explanation,
): Promise<Explanation> {
  if (value === undefined || explanation.outcome === 'miss') return explanation
  const bytes = await inspection.entryBytes(namespace, key)
  if (bytes === undefined) return explanation
  try {
    await value(key, bytes)
    return explanation
  } catch {
    // The message of the error may contain a part of the value.
    const words = 'The manager of the configuration file cannot decode it: it is loaded anew.'
    return { outcome: 'miss', reason: 'undecodable', words, atMs: undefined, tag: undefined }
  }
}

function dataOf(facts: EntryFacts, { outcome, reason, words, atMs, tag }: Explanation): object {
  const { key, cache, partition, nowMs, log, tags } = facts
  return {
    ...{ key, cache, partition, outcome, reason, words, tag: tag ?? null },
    at: atMs === undefined ? null : new Date(atMs).toISOString(),
    serverTime: new Date(nowMs).toISOString(),
    changes: log.changes.map((seq) => new Date(msOf(seq)).toISOString()),
    floorAt: tags.clock === undefined ? null : new Date(msOf(tags.clock.floor)).toISOString(),
  }
}

/** The facts that decided it. */
function detailLines({ key, partition, nowMs, stored, tags, log }: EntryFacts): readonly string[] {
  const head = stored.kind === 'entry' ? stored.head : undefined
  const lease = head === undefined || head.leaseToken === 0 ? 0 : head.leaseDeadline - nowMs
  const changes = log.changes.slice(-SHOWN_CHANGES).map((seq) => instantText(msOf(seq)))
  return pairLines([
    ['key', key],
    [
      'stored',
      stored.kind === 'entry'
        ? `${instantText(head?.createdAt)}, forgotten in ${spanText(stored.leftMs)}`
        : stored.kind,
    ],
    ['fresh until', head === undefined ? undefined : instantText(head.createdAt + head.freshForMs)],
    ['tags', head === undefined ? undefined : head.tags.map(tagText).join(', ') || 'none'],
    ['knows of tags evicted until', head === undefined ? undefined : instantText(msOf(head.birth))],
    [
      'tag clock',
      tags.clock === undefined
        ? 'missing'
        : `last moved ${instantText(msOf(tags.clock.version))}, floor ${instantText(msOf(tags.clock.floor))}`,
    ],
    ['lease', lease > 0 ? `${spanText(lease)} left` : 'none'],
    ['evicted or put, as the log has it', changes.join(', ') || 'not'],
    ['partition', `${partition}`],
    ['server time', instantText(nowMs)],
  ])
}
