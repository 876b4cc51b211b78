/** What the cases of event-store providers do and look at. */

import type {
  EventAppend,
  EventAppendReply,
  EventPlace,
  EventRange,
  EventStoreProvider,
} from '../../contracts/event-store-provider.ts'

export type EventStoreCase = readonly [
  name: string,
  run: (ends: readonly [EventStoreProvider, EventStoreProvider]) => Promise<void>,
]

export const PLACE: EventPlace = { store: 'accounts', partition: 0 }
const MOST = Number.MAX_SAFE_INTEGER
export const ALL: EventRange = { from: 1, to: MOST, isBackwards: false, count: 1_000, bytes: MOST }
export const LOG = { after: 0, mark: '', count: 1_000, bytes: MOST }

export const BARE = { expected: 'any', idMs: 60_000, mark: 'm', isDurable: false } as const

export function add(
  end: EventStoreProvider,
  stream: string,
  texts: readonly string[],
  more: Partial<EventAppend> = {},
): Promise<EventAppendReply> {
  const events = texts.map((each) => ({ schema: 7, bytes: Buffer.from(each) }))
  return end.append(PLACE, { ...BARE, stream, events, ...more })
}

export function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString()
}
