/** The loaders of the simulated application: a query takes its time, reads the source at some moment of it, and may fail. */

import { partitionOf } from '@larder/core/store'
import { argumentTags, type CachePlan } from './plan.ts'
import type { TaskSpec } from './scheduler.ts'
import type { SimNode } from './sim-node.ts'
import { type Origin, SourceError, type Value } from './source.ts'
import type { World } from './world.ts'

type Rows = (Value | null)[]

/** Why rows are loaded. */
export interface Reason {
  readonly isRefresh?: boolean
  readonly onBegun?: (origins: readonly Origin[]) => void
}

/** How long either half of a slow query may take besides, ms. */
const SLOW_MS = 2_000

export class Queries {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  /** Loads rows for a node. */
  load(
    node: SimNode,
    cache: CachePlan,
    keys: readonly string[],
    { isRefresh = false, onBegun }: Reason = {},
  ): Promise<Rows> {
    const { source, history, loads, random, plan } = this.#world
    const begunAt = history.moment + 1
    const origins = keys.map((key) => {
      const tags = tagsOfKey(cache.name, key)
      const fullKey = `${cache.name}:${key}`
      return source.begin(
        { key: fullKey, node: node.index, kind: 'load', begunAt, tags },
        { isOfLocalRefresh: isRefresh && !cache.usesRemote },
      )
    })
    onBegun?.(origins)
    history.note(node.name, `loads ${textOf(origins)}`)
    for (const origin of origins) this.#world.fail(loads.begin(origin))
    return this.#run(node, origins, random.chance(plan.slowQueryChance))
  }

  /** Two steps that the schedule may keep apart: the source answers, and the answer arrives. */
  #run(node: SimNode, origins: readonly Origin[], isSlow: boolean): Promise<Rows> {
    const { scheduler } = this.#world
    const query = `query ${origins[0]?.id}`
    return new Promise((resolve, reject) => {
      const arrive = (settle: () => void): void => {
        const channel = `${query}, answer`
        const line = { channel, node: node.index, needsProcess: true }
        scheduler.add(line, { ...this.#half(isSlow), run: settle })
      }
      const line = { channel: query, node: node.index, needsProcess: false }
      scheduler.add(line, {
        ...this.#half(isSlow),
        run: () => {
          const rows = this.#answer(origins)
          if (rows === undefined) arrive(() => reject(this.#failed(origins)))
          else arrive(() => resolve(rows))
        },
      })
    })
  }

  #half(isSlow: boolean): Pick<TaskSpec, 'notBefore' | 'dueBy'> {
    const { clock, random, plan } = this.#world
    const from = clock.now() + (isSlow ? random.int(SLOW_MS) : 0)
    return { notBefore: from, dueBy: from + random.int(plan.queryMs) }
  }

  /** Reads the rows as they are now; `undefined` when the source fails. */
  #answer(origins: readonly Origin[]): Rows | undefined {
    const { random, plan, history, source, isAtRest } = this.#world
    if (!isAtRest && random.chance(plan.failedQueryChance)) {
      history.note('source', `fails ${textOf(origins)}`)
      return undefined
    }
    const rows = origins.map((origin) => source.readInto(origin))
    const versions = origins.map(
      ({ version, isNegative }) => `v${version}${isNegative ? ', absent' : ''}`,
    )
    history.note('source', `answers ${textOf(origins)}: ${versions.join(', ')}`)
    return rows
  }

  #failed(origins: readonly Origin[]): SourceError {
    for (const origin of origins) this.#world.loads.fail(origin)
    return new SourceError(origins.map(({ id }) => id))
  }
}

/** Everything an entry of the key can be invalidated by, before its result is known. */
export function tagsOfKey(cache: string, key: string): readonly string[] {
  return ['*', `@${cache}`, `%${partitionOf(`${cache}:${key}`)}`, ...argumentTags(key)]
}

function textOf(origins: readonly Origin[]): string {
  return origins.map(({ id, key }) => `${key} (result ${id})`).join(', ')
}
