/** One atomic step: a transaction, the server's time in it, and the messages to send when it commits. */

import { createHash } from 'node:crypto'
import type { PGlite, Transaction } from '@electric-sql/pglite'
import type { BusMessage } from '@larder/core/store'

export interface Step {
  readonly namespace: string
  /** The server's time, whole microseconds since the epoch. */
  readonly nowUs: number
  readonly nowMs: number
  query<Row>(sql: string, params?: readonly unknown[]): Promise<Row[]>
  /** Delivered if the transaction commits, and only then: NOTIFY is part of it. */
  publish(message: BusMessage): Promise<void>
}

/** NOTIFY takes at most 8000 bytes; what is longer is sent as a message that makes receivers look at the log. */
const MAX_NOTIFICATION_BYTES = 7_900

/** Runs a step. */
export function inStep<Result>(
  postgres: PGlite,
  namespace: string,
  work: (step: Step) => Promise<Result>,
): Promise<Result> {
  return postgres.transaction(async (transaction) => {
    const query = <Row>(sql: string, params: readonly unknown[] = []): Promise<Row[]> =>
      rowsOf<Row>(transaction, sql, params)
    const [time] = await query<{ us: number | bigint }>(
      `select (extract(epoch from clock_timestamp()) * 1000000)::bigint as us`,
    )
    const nowUs = Number(time?.us)
    return work({
      namespace,
      nowUs,
      nowMs: Math.floor(nowUs / 1_000),
      query,
      publish: async (message) => {
        for (const text of notifications(message)) {
          await query('select pg_notify($1, $2)', [channelOf(namespace), text])
        }
      },
    })
  })
}

/** The channel of a namespace: a plain identifier, because LISTEN folds case and takes no other characters unquoted. */
export function channelOf(namespace: string): string {
  return `larder_${createHash('sha256').update(namespace).digest('hex').slice(0, 32)}`
}

/** Keys and tags as they are stored. */
export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'utf8')
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8')
}

async function rowsOf<Row>(
  transaction: Transaction,
  sql: string,
  params: readonly unknown[],
): Promise<Row[]> {
  const { rows } = await transaction.query<Row>(sql, [...params])
  return rows
}

/** A change of many keys is split: only the last part moves the sequence number on, so none is lost unnoticed. */
function notifications(message: BusMessage): readonly string[] {
  const text = JSON.stringify(message)
  if (Buffer.byteLength(text) <= MAX_NOTIFICATION_BYTES) return [text]
  if (message.kind === 'keys' && message.keys.length > 1) {
    const middle = Math.ceil(message.keys.length / 2)
    const first = { ...message, seq: message.previous, keys: message.keys.slice(0, middle) }
    return [
      ...notifications(first),
      ...notifications({ ...message, keys: message.keys.slice(middle) }),
    ]
  }
  // Too long to be told at all: receivers see a gap and read the log, or the tags, themselves.
  return []
}
