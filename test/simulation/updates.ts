/**
 * Updates: a new value is made from the one that is there. The application keeps no count of its own, so a lost update would be
 * seen by nobody: what the store carries out is judged in the step that carries it out (update-record.ts).
 */

import { UpdateConflictError, UpdateFailedError } from '@larder/core'
import { keyTarget } from './ledger.ts'
import { argumentTags } from './plan.ts'
import { tagsOfKey } from './queries.ts'
import type { NodeCache, SimNode } from './sim-node.ts'
import { type Origin, resultTag, type Value } from './source.ts'
import type { World } from './world.ts'
import { hitsAny, type Writes } from './writes.ts'

interface Running {
  readonly node: SimNode
  readonly at: NodeCache
  readonly key: string
  readonly operation: number
  readonly tries: Origin[]
}

export class Updates {
  readonly #world: World
  readonly #writes: Writes

  constructor(world: World, writes: Writes) {
    this.#world = world
    this.#writes = writes
  }

  async update(node: SimNode, at: NodeCache, key: string): Promise<void> {
    const { history, loads, puts } = this.#world
    const fullKey = `${at.plan.name}:${key}`
    const release = this.#writes.occupy([fullKey], false)
    if (release === undefined) return
    await this.#writes.turn(node)
    const operation = history.note(node.name, `updates ${fullKey}`)
    const target = keyTarget(fullKey)
    const noteEnd = loads.invalidate((other) => hitsAny([target], other))
    const change = puts.begin([target], operation, undefined)
    const running: Running = { node, at, key: fullKey, operation, tries: [] }
    const tags = (value: unknown): readonly string[] => [
      ...argumentTags(key),
      resultTag((value as Value).version),
    ]
    const made = await at.cache
      .update(key, (old) => this.#change(running, old), { tags })
      .then(
        (value) => this.#done(running, value as Value | undefined),
        (error: unknown) => this.#failed(running, error),
      )
    change.endedAt = history.moment
    change.origin = made
    noteEnd()
    release()
  }

  /** What the application makes of a value: another one of the same row. Of nothing it makes what the source has. */
  async #change(running: Running, old: unknown): Promise<Value | undefined> {
    const { node, at, key, operation, tries } = running
    const { history, source } = this.#world
    // A row that is not there has nothing to be updated.
    if (old === null) return undefined
    const base = old === undefined ? undefined : source.origin((old as Value).origin)
    const from = base === undefined ? 'nothing' : `result ${base.id}`
    const begunAt = history.note(node.name, `makes ${key} from ${from} (#${operation})`)
    const shortKey = key.slice(at.plan.name.length + 1)
    const tags = base?.tags ?? tagsOfKey(at.plan.name, shortKey)
    const origin = source.begin(
      { key, node: node.index, kind: 'update', begunAt, tags },
      { basis: { operation, base, isGivenUp: false } },
    )
    if (this.#world.random.chance(0.7)) await this.#writes.turn(node)
    tries.push(origin)
    if (base === undefined) return source.readInto(origin) ?? undefined
    origin.version = base.version
    return { key, version: base.version, origin: origin.id }
  }

  #done({ node, key, operation }: Running, value: Value | undefined): Origin | undefined {
    const { history, ledger, source, clock } = this.#world
    if (value === undefined) {
      history.note(node.name, `has left ${key} as it is (#${operation})`)
      return undefined
    }
    const made = source.origin(value.origin)
    const ackedAt = history.note(
      node.name,
      `has updated ${key} to result ${made.id} (#${operation})`,
    )
    made.returnedAt = ackedAt
    if (made.storedAt === undefined)
      this.#world.fail(
        `I2: ${key} is said to be updated (#${operation}), which the store did not do`,
      )
    ledger.acknowledge({
      node: node.index,
      target: keyTarget(key),
      calledAt: made.countsFrom,
      ackedAt,
      ackedTime: clock.now(),
      isSoft: false,
    })
    return made
  }

  /** An update may fail where a put would wait; then it says whether anything may have come of it. */
  #failed({ node, key, operation, tries }: Running, error: unknown): undefined {
    const { history, plan } = this.#world
    history.note(node.name, `fails to update ${key} (#${operation}): ${String(error)}`)
    const isExpected = error instanceof UpdateFailedError || error instanceof UpdateConflictError
    // A refresh that lost its lease evicts: until that is done, the key is in doubt everywhere.
    const isQuiet = plan.isCalm && !plan.operations.includes('refresh')
    if (!isExpected || isQuiet) throw error
    if (error instanceof UpdateFailedError && error.mayBeDone) return
    for (const origin of tries) {
      if (origin.basis !== undefined) origin.basis.isGivenUp = true
      if (origin.storedAt === undefined) continue
      this.#world.fail(
        `I2: the update of ${key} (#${operation}) failed and changed nothing, it says; but at #${origin.storedAt} the store carried it out`,
      )
    }
  }
}
