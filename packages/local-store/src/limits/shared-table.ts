/**
 * What this process knows of the limits of a namespace: one table for all managers of that namespace, because with a table per
 * manager a limit would be twice as large as configured. The table is dropped with the last of them.
 */

import type { FreedListener } from '@larder/core/store'
import { processTables } from '../process-tables.ts'
import { SubjectTable } from './subject-table.ts'

export interface TableOptions {
  /** The first user decides. */
  readonly maxKeys: number
  readonly nowUs: () => number
  /** The user has a clock of its own, and so shares with nobody. */
  readonly isOwn: boolean
}

/** A user of a table. */
export interface TableUser {
  readonly listener?: FreedListener | undefined
}

const tables = processTables<SharedTable>('limits')

export class SharedTable {
  readonly subjects: SubjectTable
  readonly #users = new Set<TableUser>()
  readonly #namespace: string | undefined

  constructor(maxKeys: number, namespace: string | undefined) {
    this.subjects = new SubjectTable(maxKeys)
    this.#namespace = namespace
  }

  join(user: TableUser): void {
    this.#users.add(user)
  }

  leave(user: TableUser): void {
    this.#users.delete(user)
    if (this.#users.size > 0) return
    this.subjects.clear()
    if (this.#namespace !== undefined) tables.delete(this.#namespace)
  }

  /** Tells every user that points of a key were given back. */
  tell(limiter: string, key: string): void {
    for (const { listener } of this.#users) listener?.onFreed(limiter, key)
  }
}

/** Returns the table of a namespace, to be left again; without a namespace, one of the user's own. */
export function joinTable(
  namespace: string | undefined,
  user: TableUser,
  { maxKeys, isOwn }: TableOptions,
): SharedTable {
  const name = isOwn ? undefined : namespace
  const known = name === undefined ? undefined : tables.get(name)
  const table = known ?? new SharedTable(maxKeys, name)
  if (name !== undefined) tables.set(name, table)
  table.join(user)
  return table
}
