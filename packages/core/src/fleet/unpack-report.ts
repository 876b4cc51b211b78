/**
 * Reads reports. They come from a store that others write to as well, and from nodes of other versions: what is not as it should
 * be is left out, and never an error.
 */

import type { ReadCounters } from '../stats/stats.ts'
import type { CountedReads, NodeBreaker, NodeReport, NodeStatus } from './node-report.ts'
import { REPORT_FORM } from './pack-report.ts'
import { countIn, listIn, spanIn, unpackCounters } from './packed-counters.ts'

type Fields = Readonly<Record<string, unknown>>

const LONGEST_TEXT = 64
const LONGEST_LIST = 64
const NO_FIELDS: Fields = {}

/** `undefined` for what is not a report of this form. */
export function unpackReport(text: string): NodeReport | undefined {
  const fields = fieldsIn(parsed(text))
  if (fields['form'] !== REPORT_FORM) return undefined
  const versions = fieldsIn(fields['versions'])
  return {
    name: textIn(fields['name']),
    host: textIn(fields['host']),
    pid: countIn(fields['pid']) || null,
    versions: {
      larder: textIn(versions['larder']) ?? 'unknown',
      node: textIn(versions['node']) ?? 'unknown',
    },
    everyMs: spanIn(fields['everyMs']),
    uptimeMs: spanIn(fields['uptimeMs']),
    loopBusy: Math.min(1, spanIn(fields['loopBusy'])),
    status: statusIn(fieldsIn(fields['status'])),
    counted: countedIn(fieldsIn(fields['counts']), fields['caches']),
  }
}

function statusIn(fields: Fields): NodeStatus {
  const gaps = fieldsIn(fields['busGaps'])
  const calls = fieldsIn(fields['calls'])
  const coherence = fieldsIn(fields['coherence'])
  const partitions = fieldsIn(coherence['partitions'])
  const queue = fieldsIn(fields['recoveryQueue'])
  // Casts, because a later version may have another word for a state: it is shown as it is.
  return {
    state: wordIn(fields['state']) as NodeStatus['state'],
    health: wordIn(fields['health']) as NodeStatus['health'],
    problems: listIn(fields['problems']).slice(0, LONGEST_LIST).map(wordIn),
    bus: wordIn(fields['bus']) as NodeStatus['bus'],
    busGaps: { noticed: countIn(gaps['noticed']), unrecovered: countIn(gaps['unrecovered']) },
    calls: { failed: countIn(calls['failed']), skipped: countIn(calls['skipped']) },
    coherence: {
      state: wordIn(coherence['state']) as NodeStatus['coherence']['state'],
      forMs: spanOrNull(coherence['forMs']),
      confirmedAgoMs: spanOrNull(coherence['confirmedAgoMs']),
      partitions: { verified: countIn(partitions['verified']), all: countIn(partitions['all']) },
    },
    breakers: listIn(fields['breakers']).slice(0, LONGEST_LIST).map(breakerIn),
    recoveryQueue: {
      waiting: countIn(queue['waiting']),
      values: countIn(queue['values']),
      escalated: wordIn(queue['escalated']) as NodeStatus['recoveryQueue']['escalated'],
    },
  }
}

function breakerIn(value: unknown): NodeBreaker {
  const { use, provider, state } = fieldsIn(value)
  return {
    use: wordIn(use),
    provider: wordIn(provider),
    state: wordIn(state) as NodeBreaker['state'],
  }
}

function countedIn(counts: Fields, caches: unknown): CountedReads {
  const byCache = new Map<string, ReadCounters>()
  for (const cache of listIn(caches)) {
    const [name, counters] = listIn(cache)
    const known = textIn(name)
    if (known !== null) byCache.set(known, unpackCounters(counters))
  }
  return {
    total: unpackCounters(counts['total']),
    byCache,
    tagEvictions: countIn(counts['tagEvictions']),
    localEntries: countIn(counts['localEntries']),
    localBytes: countIn(counts['localBytes']),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function fieldsIn(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : NO_FIELDS
}

function textIn(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value.slice(0, LONGEST_TEXT) : null
}

function wordIn(value: unknown): string {
  return textIn(value) ?? 'unknown'
}

function spanOrNull(value: unknown): number | null {
  return typeof value === 'number' ? spanIn(value) : null
}
