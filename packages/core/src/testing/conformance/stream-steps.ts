/** What the cases of stream providers have in common. */

import type {
  StreamEntry,
  StreamGroup,
  StreamProvider,
  StreamRule,
  StreamTaken,
} from '../../contracts/stream-provider.ts'

export type StreamCase = readonly [
  name: string,
  run: (ends: readonly [StreamProvider, StreamProvider]) => Promise<void>,
]

export const HOUR_MS = 3_600_000
export const RULE: StreamRule = {
  stream: 's',
  rememberMs: HOUR_MS,
  maxLength: 1_000_000,
  maxAgeMs: Number.POSITIVE_INFINITY,
  trimsUnhandled: false,
}
export const GROUP: StreamGroup = { stream: 's', group: 'g' }
/** Everybody is silent for at least so long. */
const ANY = 0
export const NOBODY = HOUR_MS

export function none(): never {
  throw new Error('Nothing was delivered')
}

export function takeBy(
  consumer: string,
  more: { count?: number; idleMs?: number; held?: readonly string[] } = {},
) {
  return { consumer, count: 9, idleMs: ANY, held: [], cursor: '0-0', ...more }
}

export function dead(entry: string, text: string, keep = 100) {
  const bytes = bytesOf(text)
  return { kind: 'dead', entry, bytes, error: 'why', deliveries: 3, keep } as const
}

export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text)
}

export function texts(entries: readonly { readonly bytes: Uint8Array }[]): readonly string[] {
  return entries.map(({ bytes }) => Buffer.from(bytes).toString())
}

export async function add(end: StreamProvider, ...messages: readonly string[]): Promise<void> {
  await end.add(
    RULE,
    messages.map((text) => ({ id: undefined, bytes: bytesOf(text) })),
  )
}

export async function read(
  end: StreamProvider,
  group: StreamGroup,
  consumer: string,
  count: number,
): Promise<readonly StreamEntry[]> {
  const reader = end.reader(group.stream)
  try {
    return entriesOf(await reader.read(group, { consumer, count, waitMs: 1 }))
  } finally {
    await reader.close()
  }
}

export function entriesOf(reply: readonly StreamEntry[] | 'absent'): readonly StreamEntry[] {
  if (reply === 'absent') throw new Error('There is no such group')
  return reply
}

export function taken(reply: StreamTaken | 'absent'): StreamTaken {
  if (reply === 'absent') throw new Error('There is no such group')
  return reply
}
