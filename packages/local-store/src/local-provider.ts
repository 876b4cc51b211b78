/**
 * What providers within this process have in common: their managers of one namespace keep things in one table, because two managers with
 * tables of their own would exclude nobody and count apart. The table is dropped with the last of them.
 */

import { type Joined, type ProcessKind, processTables } from './process-tables.ts'

/** What a provider keeps things in. */
interface Table {
  clear(): void
}

export interface LocalParts<Kept extends Table, User extends object> {
  readonly kind: ProcessKind
  /** The provider has a clock of its own, and so shares with nobody. */
  readonly isOwn: boolean
  /** Makes the table, for the first user; `users` are those of now at any time. */
  readonly make: (users: ReadonlySet<User>) => Kept
}

export abstract class LocalProvider<Kept extends Table, User extends object = object> {
  readonly name = 'local'
  readonly #parts: LocalParts<Kept, User>
  #namespace: string | undefined
  #joined: Joined<Kept, User> | undefined

  constructor(parts: LocalParts<Kept, User>) {
    this.#parts = parts
  }

  open(namespace: string): void {
    if (this.isJoined) return
    const { isOwn, kind } = this.#parts
    if (isOwn) {
      this.join()
      return
    }
    const tables = processTables<Kept, User>(kind)
    this.#namespace = namespace
    this.#joined = tables.get(namespace) ?? this.#made()
    this.#joined.users.add(this.#user)
    tables.set(namespace, this.#joined)
  }

  async close(): Promise<void> {
    const joined = this.#joined
    if (joined?.users.delete(this.#user) !== true || joined.users.size > 0) return
    joined.table.clear()
    if (this.#namespace !== undefined)
      processTables<Kept, User>(this.#parts.kind).delete(this.#namespace)
  }

  /** Also after it was left: what was held is still given back. */
  protected get table(): Kept {
    if (this.#joined === undefined) throw new Error(`The local ${this.#parts.kind} are not open`)
    return this.#joined.table
  }

  protected get isJoined(): boolean {
    return this.#joined?.users.has(this.#user) === true
  }

  /** Those that keep things in the same table, this one included. */
  protected get users(): Iterable<User> {
    return this.#joined?.users ?? []
  }

  /** Gets a table of its own. */
  protected join(): void {
    this.#joined = this.#made()
    this.#joined.users.add(this.#user)
  }

  #made(): Joined<Kept, User> {
    const users = new Set<User>()
    return { table: this.#parts.make(users), users }
  }

  get #user(): User {
    // A provider is the user of its table; which one, only its class knows.
    return this as unknown as User
  }
}

/** The table of a name, made at its first use. */
export function madeOnce<Each>(tables: Map<string, Each>, name: string, make: () => Each): Each {
  const known = tables.get(name)
  if (known !== undefined) return known
  const made = make()
  tables.set(name, made)
  return made
}
