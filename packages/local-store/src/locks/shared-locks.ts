/**
 * The locks of a namespace within this process: one table for all managers of that namespace, because two managers with
 * separate tables would exclude nobody. The table is dropped with the last of them.
 */

import type { WakeListener } from '@larder/core/store'
import { processTables } from '../process-tables.ts'
import { LockTable } from './lock-table.ts'

/** A user of a table. */
export interface TableUser {
  readonly onWake?: WakeListener | undefined
}

const tables = processTables<SharedLocks>('locks')

export class SharedLocks {
  readonly table = new LockTable((owner) => this.#wake(owner))
  readonly #users = new Set<TableUser>()
  readonly #namespace: string | undefined

  private constructor(namespace: string | undefined) {
    this.#namespace = namespace
  }

  /** Joins the table of a namespace, to be left again; without a namespace, the user gets a table of its own. */
  static join(namespace: string | undefined, user: TableUser): SharedLocks {
    const known = namespace === undefined ? undefined : tables.get(namespace)
    const locks = known ?? new SharedLocks(namespace)
    if (namespace !== undefined) tables.set(namespace, locks)
    // Through a method of the table: it may belong to another copy's class.
    locks.add(user)
    return locks
  }

  add(user: TableUser): void {
    this.#users.add(user)
  }

  leave(user: TableUser): void {
    this.#users.delete(user)
    if (this.#users.size > 0) return
    this.table.clear()
    if (this.#namespace !== undefined) tables.delete(this.#namespace)
  }

  /** Owners are unique in a process; a user ignores owners it does not know. */
  #wake(owner: string): void {
    for (const { onWake } of this.#users) onWake?.(owner)
  }
}
