/** Counts of unique visitors on Redis. */

import {
  MOST_EXACT_UNION,
  type UniqueCount,
  type UniqueRule,
  type UniqueSteps,
} from '@larder/core/store'
import { numberOf } from '../commands/replies.ts'
import { uniqueKeys } from '../key-layout.ts'
import { keptUntilArg, type PeriodScripts } from './period-scripts.ts'

/** Periods that are over change only when the server's clock is set back; for no longer is that missed, ms. */
const PAST_KEPT_MS = 3_600_000

export class UniqueScripts implements UniqueSteps {
  readonly #scripts: PeriodScripts
  readonly #namespace: () => string

  constructor(scripts: PeriodScripts, namespace: () => string) {
    this.#scripts = scripts
    this.#namespace = namespace
  }

  async seen(rule: UniqueRule, key: string, visitors: readonly Uint8Array[]): Promise<void> {
    const digests = visitors.map((each) =>
      Buffer.from(each.buffer, each.byteOffset, each.byteLength),
    )
    await this.#scripts.run(rule, (now) => ({
      script: 'uniqueSeen',
      keys: this.#keysAt(rule, key, `${now.starts[0] ?? 0}`),
      args: [keptUntilArg(now), rule.exactBelow, ...digests],
    }))
  }

  async unique(rule: UniqueRule, key: string, last: number): Promise<UniqueCount> {
    const [count, isExact] = await this.#scripts.run(rule, ({ starts }) => {
      const [, past] = this.#keysAt(rule, key, `${starts[0] ?? 0}+${last}:past`)
      const [, united] = this.#keysAt(rule, key, `${starts[0] ?? 0}+${last}`)
      const periods = starts.slice(0, last).flatMap((at) => this.#keysAt(rule, key, `${at}`))
      const args = [MOST_EXACT_UNION, PAST_KEPT_MS]
      return { script: 'uniqueCount', keys: [past, united, ...periods], args }
    })
    return { count: numberOf(count), exact: isExact === 1 }
  }

  #keysAt(rule: UniqueRule, key: string, period: string): readonly [string, string] {
    const [few, many] = uniqueKeys(this.#namespace(), rule, { key, period })
    return [few, many]
  }
}
