/** The SQL recipe of the guide, on a real PostgreSQL, with a process that sleeps through its term (L4). */

import { PGlite } from '@electric-sql/pglite'
import { expect, inject, it, onTestFinished } from 'vitest'
import { freshNamespace } from '../support/nodes.ts'
import { startWorker, type WorkerProcess } from '../support/process/worker.ts'
import type { worker } from './lock.worker.ts'

const TERM_MS = 1_000

it('refuses what a process writes that slept past its term', async () => {
  const db = await PGlite.create()
  onTestFinished(() => db.close())
  await db.exec('CREATE TABLE accounts (id text PRIMARY KEY, balance int, fence bigint NOT NULL)')
  await db.query(`INSERT INTO accounts VALUES ('a', 0, 0)`)
  const write = async (balance: number, fence: number): Promise<boolean> => {
    const { affectedRows } = await db.query(
      'UPDATE accounts SET balance = $1, fence = $2 WHERE id = $3 AND fence <= $2',
      [balance, fence, 'a'],
    )
    return affectedRows === 1
  }

  const namespace = freshNamespace()
  const start = async (): Promise<WorkerProcess<typeof worker>> => {
    const url = new URL('./lock.worker.ts', import.meta.url)
    const started = await startWorker<typeof worker>(url, { url: inject('redisUrl'), namespace })
    onTestFinished(() => started.stop())
    return started
  }
  const [sleeper, other] = await Promise.all([start(), start()])
  // It may wait, because a busy machine takes its time to connect.
  const first = await sleeper.call('hold', 'a', TERM_MS, 20_000)
  expect(await write(10, first)).toBe(true)
  sleeper.pause()
  const second = await other.call('hold', 'a', TERM_MS, 20_000)
  expect(await write(20, second)).toBe(true)
  sleeper.resume()
  expect(await write(11, first)).toBe(false)
  const { rows } = await db.query('SELECT balance FROM accounts')
  expect(rows).toEqual([{ balance: 20 }])
}, 60_000)
