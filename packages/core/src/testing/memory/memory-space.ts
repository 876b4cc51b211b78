/** What a server holds of one namespace: entries with their expiry, partition logs, the tag clock. */

import type { KeysMessage } from '../../contracts/bus.ts'
import type { EntryAddress } from '../../contracts/remote-store.ts'
import { PartitionLog } from './partition-log.ts'
import { TagTable } from './tag-table.ts'

/** An entry as stored; `bytes` are the server's own and are changed in place. */
interface StoredBytes {
  readonly address: EntryAddress
  readonly bytes: Buffer
  readonly expiresAt: number
}

/** One thing a server can lose by itself. */
export type SpaceKey =
  | { readonly kind: 'entry'; readonly partition: number; readonly key: string }
  | { readonly kind: 'log'; readonly partition: number }
  | { readonly kind: 'tags' }
  | { readonly kind: 'heads' }
  | { readonly kind: 'owed' }

export class MemorySpace {
  readonly #notesHeads: boolean
  readonly #entries = new Map<string, StoredBytes>()
  readonly #logs = new Map<number, PartitionLog>()
  #tags: TagTable | undefined
  /** The heads of partitions, once more; there is nothing where it was lost. */
  #heads: ReadonlyMap<number, number> | undefined

  /** Changes that wait to be announced together, in order. */
  #owed: readonly KeysMessage[] = []

  /** `notesHeads`: heads are kept once more in one place, which syncs read. */
  constructor(notesHeads = false) {
    this.#notesHeads = notesHeads
  }

  /** Returns the server's own bytes of an entry that has not expired. */
  get(address: EntryAddress, nowMs: number): Buffer | undefined {
    const id = idOf(address)
    const stored = this.#entries.get(id)
    if (stored === undefined || nowMs <= stored.expiresAt) return stored?.bytes
    this.#entries.delete(id)
    return undefined
  }

  /** Takes over `bytes`; they must not be used by anybody else afterwards. */
  set(address: EntryAddress, bytes: Buffer, expiresAt: number): void {
    this.#entries.set(idOf(address), { address, bytes, expiresAt })
  }

  delete(address: EntryAddress): boolean {
    return this.#entries.delete(idOf(address))
  }

  /** Makes an entry live until then at least; never shortens its life. */
  liveUntil(address: EntryAddress, expiresAt: number): void {
    const stored = this.#entries.get(idOf(address))
    if (stored === undefined || stored.expiresAt >= expiresAt) return
    this.#entries.set(idOf(address), { ...stored, expiresAt })
  }

  /** Returns the partition's log, creating it if it is absent. */
  log(partition: number, nowUs: number): PartitionLog {
    const known = this.#logs.get(partition)
    if (known !== undefined) return known
    const log = new PartitionLog(nowUs)
    this.#logs.set(partition, log)
    this.noteHead(partition, log.seq)
    return log
  }

  /** Takes note of a head that has moved; every step that moves one does this. */
  noteHead(partition: number, seq: number): void {
    if (this.#notesHeads) this.#heads = new Map([...(this.#heads ?? []), [partition, seq]])
  }

  get owed(): readonly KeysMessage[] {
    return this.#owed
  }

  /** Leaves a change waiting to be announced. */
  owe(message: KeysMessage): void {
    this.#owed = [...this.#owed, message]
  }

  /** Takes what waits to be announced. */
  takeOwed(): readonly KeysMessage[] {
    const owed = this.#owed
    this.#owed = []
    return owed
  }

  /** The head as it was noted; `undefined` where nothing was. */
  notedHead(partition: number): number | undefined {
    return this.#heads?.get(partition)
  }

  /** The head as its log has it, which is created if it is absent. It is noted. */
  openHead(partition: number, nowUs: number): number {
    const { seq } = this.log(partition, nowUs)
    this.noteHead(partition, seq)
    return seq
  }

  /** Returns the tag clock, creating it if it is absent. */
  tags(nowUs: number): TagTable {
    this.#tags ??= new TagTable(nowUs)
    return this.#tags
  }

  /** Full keys of the entries that have not expired. */
  keys(nowMs: number): readonly string[] {
    return this.#living(nowMs).map(({ address }) => address.key)
  }

  /** Everything that could be lost by itself. */
  contents(nowMs: number): readonly SpaceKey[] {
    return [
      ...this.#living(nowMs).map(({ address }) => ({ kind: 'entry' as const, ...address })),
      ...[...this.#logs.keys()].map((partition) => ({ kind: 'log' as const, partition })),
      ...(this.#tags === undefined ? [] : [{ kind: 'tags' as const }]),
      ...(this.#heads === undefined ? [] : [{ kind: 'heads' as const }]),
      ...(this.#owed.length === 0 ? [] : [{ kind: 'owed' as const }]),
    ]
  }

  /** Loses one thing. Returns false when it was not there. */
  drop(key: SpaceKey): boolean {
    if (key.kind === 'entry') return this.delete(key)
    if (key.kind === 'log') return this.#logs.delete(key.partition)
    if (key.kind === 'owed') return this.takeOwed().length > 0
    const name = key.kind
    const had = (name === 'tags' ? this.#tags : this.#heads) !== undefined
    if (name === 'tags') this.#tags = undefined
    else this.#heads = undefined
    return had
  }

  /** Puts one thing back to what it is in `other`, gone if it is not there. */
  takeFrom(other: MemorySpace, key: SpaceKey): void {
    this.drop(key)
    if (key.kind === 'tags') {
      this.#tags = other.#tags?.copy()
    } else if (key.kind === 'heads') {
      this.#heads = other.#heads
    } else if (key.kind === 'owed') {
      this.#owed = other.#owed
    } else if (key.kind === 'log') {
      const log = other.#logs.get(key.partition)
      if (log !== undefined) this.#logs.set(key.partition, log.copy())
    } else {
      const stored = other.#entries.get(idOf(key))
      if (stored !== undefined) this.set(key, Buffer.from(stored.bytes), stored.expiresAt)
    }
  }

  copy(): MemorySpace {
    const copy = new MemorySpace(this.#notesHeads)
    for (const key of this.contents(Number.NEGATIVE_INFINITY)) copy.takeFrom(this, key)
    return copy
  }

  #living(nowMs: number): readonly StoredBytes[] {
    return [...this.#entries.values()].filter(({ expiresAt }) => nowMs <= expiresAt)
  }
}

function idOf({ partition, key }: EntryAddress): string {
  return `${partition}:${key}`
}
