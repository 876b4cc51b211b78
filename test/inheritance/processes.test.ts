/** A generic base repository over three tables in two processes on one Redis: nobody ever gets another table's row. */

import { fileURLToPath } from 'node:url'
import { describe, expect, inject, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { startWorker, type WorkerProcess } from '../support/process/worker.ts'
import type { Table, worker } from './repositories.worker.ts'

type Repositories = WorkerProcess<typeof worker>

const TABLES: readonly Table[] = ['users', 'invoices', 'orders']
const LEGACY = fileURLToPath(new URL('./tsconfig.legacy.json', import.meta.url))

/** Two processes of one mode each, and one of either: entries made by one kind of decorators are read by the other. */
const PAIRS = [
  ['standard', {}, {}],
  ['legacy', { TSX_TSCONFIG_PATH: LEGACY }, { TSX_TSCONFIG_PATH: LEGACY }],
  ['standard and legacy', {}, { TSX_TSCONFIG_PATH: LEGACY }],
] as const

describe.each(PAIRS)('with %s decorators', (name, ...envs) => {
  it('keeps every table to itself, and changes reach the other process', async () => {
    const namespace = freshNamespace()
    const init = { url: inject('redisUrl'), namespace }
    const url = new URL('./repositories.worker.ts', import.meta.url)
    await using one = await startWorker<typeof worker>(url, init, { env: envs[0] })
    await using other = await startWorker<typeof worker>(url, init, { env: envs[1] })
    const both: readonly Repositories[] = [one, other]
    const modes = await Promise.all(both.map((at) => at.call('mode')))
    expect([...new Set(modes)].join(' and ')).toBe(name)

    await Promise.all(TABLES.map((table) => one.call('change', table, '1', `${table} as made`)))
    // All at once, in both: the first to come is another one each time.
    await Promise.all(both.flatMap((at) => TABLES.map((table) => readsItsOwn(at, table))))
    const loads = await one.call('loads')
    for (const at of both) for (const table of TABLES) await readsItsOwn(at, table)
    expect(await one.call('loads'), 'everything is a hit by now').toBe(loads)

    for (const at of both) {
      expect(await at.call('describe', 'users', '1')).toBe('users 1')
      expect(await at.call('describe', 'invoices', '1')).toBe('invoice: invoices 1')
      expect(await at.call('describe', 'orders', '1')).toBe('order: orders 1')
    }

    await one.call('change', 'invoices', '1', 'changed')
    await finds(other, 'invoices', 'changed')
    await finds(other, 'users', 'users as made')
    await other.call('save', 'orders', '1', 'saved')
    await finds(one, 'orders', 'saved')
    await finds(one, 'invoices', 'changed')
  })
})

async function readsItsOwn(at: Repositories, table: Table): Promise<void> {
  const rows = await at.call('readAll', table, '1')
  const own = { id: '1', table, text: `${table} as made` }
  expect(rows).toEqual([own, own, own, own])
}

async function finds(at: Repositories, table: Table, text: string): Promise<void> {
  await eventually(`${table} is '${text}'`, async () => {
    const row = await at.call('find', table, '1')
    expect(row.table).toBe(table)
    return row.text === text
  })
}
