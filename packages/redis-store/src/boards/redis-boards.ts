/** Leaderboards, counters and unique visitors on Redis. Every step is one script on the server's clock; lua/ says what each does. */

import { createHash } from 'node:crypto'
import type {
  AddReply,
  BoardCapabilities,
  BoardPart,
  BoardProvider,
  BoardReply,
  BoardRule,
  BoardScore,
  BoardView,
  CounterAdd,
  CounterRule,
  PeriodCount,
  SubmitReply,
  UniqueCount,
  UniqueRule,
} from '@larder/core/store'
import { boardShape } from '@larder/core/store'
import { type BackedParts, BackedProvider } from '../backed-provider.ts'
import { Backend } from '../backend.ts'
import { numberOf } from '../commands/replies.ts'
import { boardClockKey, boardKeys, counterKeys } from '../key-layout.ts'
import { type RedisStoreOptions, resolveRedisStoreOptions } from '../options.ts'
import { readAdded, readLook, readSubmitted } from './board-replies.ts'
import { keptUntilArg, PeriodScripts } from './period-scripts.ts'
import { UniqueScripts } from './unique-scripts.ts'

const ID_LENGTH = 22

/**
 * Creates a provider of leaderboards on a Redis of its own, apart from the cache's: for a server that neither drops keys for room nor
 * loses them at a restart. `redisStore` brings one along for the server it uses.
 *
 * @throws InvalidOptionError
 * @example createCacheManager({ namespace: 'shop', boards: redisBoards({ url: process.env.BOARDS_URL }) })
 */
export function redisBoards(options: RedisStoreOptions): BoardProvider {
  const resolved = resolveRedisStoreOptions(options)
  const backend = new Backend(resolved)
  return new RedisBoards({ backend, options: resolved, ownsBackend: true })
}

export class RedisBoards extends BackedProvider implements BoardProvider {
  readonly capabilities: BoardCapabilities = { shared: true }
  readonly #scripts: PeriodScripts
  readonly #uniques: UniqueScripts

  constructor(parts: BackedParts) {
    super(parts, 'boards')
    this.#scripts = new PeriodScripts({ run: (call) => this.run(call), nowUs: parts.nowUs })
    this.#uniques = new UniqueScripts(this.#scripts, () => this.namespace)
  }

  async submit(rule: BoardRule, scores: readonly BoardScore[]): Promise<readonly SubmitReply[]> {
    const { board, update, best, ties, keep } = rule
    const reply = await this.#scripts.run(rule, (now) => ({
      script: 'boardSubmit',
      keys: [...this.#keysAt(board, now.starts[0]), boardClockKey(this.namespace, board)],
      args: [
        keptUntilArg(now),
        update,
        signOf(best),
        ties,
        keep,
        boardShape(rule),
        ...scores.flatMap(({ member, score }) => [member, score]),
      ],
    }))
    return readSubmitted(reply)
  }

  async look(rule: BoardRule, view: BoardView, part: BoardPart): Promise<BoardReply> {
    const { board, update, best, ties } = rule
    const { ago, merge, maxAgeMs } = view
    const asked = part.kind === 'range' ? [part.skip, part.take] : [part.member, part.each]
    const reply = await this.#scripts.run(rule, ({ starts }) => {
      const merged = starts.slice(ago, ago + merge)
      const [first] = merged
      const orders = merged.map((start) => this.#keysAt(board, start)[0])
      const clock = boardClockKey(this.namespace, board)
      const keys =
        merge === 1
          ? [...this.#keysAt(board, first), clock]
          : [...boardKeys(this.namespace, board, `${first}+${merge}:${maxAgeMs}`), clock, ...orders]
      const args = [update, signOf(best), ties, maxAgeMs, part.kind, ...asked, boardShape(rule)]
      return { script: 'boardLook', keys, args }
    })
    return readLook(reply)
  }

  async remove(rule: BoardRule, member: string): Promise<number> {
    const [removed] = await this.#scripts.run(rule, ({ starts }) => ({
      script: 'boardRemove',
      keys: starts.flatMap((start) => this.#keysAt(rule.board, start)),
      args: [member],
    }))
    return numberOf(removed)
  }

  async add(rule: CounterRule, { key, by, id }: CounterAdd): Promise<AddReply> {
    const { counts, done } = counterKeys(this.namespace, rule, key)
    const reply = await this.#scripts.run(rule, (now) => ({
      script: 'counterAdd',
      keys: id === undefined ? [counts] : [counts, done(digestOf(id))],
      args: [
        keptUntilArg(now),
        now.starts[0] ?? 0,
        now.starts.at(-1) ?? 0,
        rule.periods,
        by,
        rule.idMs,
      ],
    }))
    return readAdded(reply)
  }

  async counts(rule: CounterRule, key: string, last: number): Promise<readonly PeriodCount[]> {
    const { counts } = counterKeys(this.namespace, rule, key)
    let asked: readonly number[] = []
    const reply = await this.#scripts.run(rule, ({ starts }) => {
      asked = starts.slice(0, last)
      return { script: 'counterRead', keys: [counts], args: asked }
    })
    return asked.map((from, i) => ({ from, count: numberOf(reply[i]) }))
  }

  seen(rule: UniqueRule, key: string, visitors: readonly Uint8Array[]): Promise<void> {
    return this.#uniques.seen(rule, key, visitors)
  }

  unique(rule: UniqueRule, key: string, last: number): Promise<UniqueCount> {
    return this.#uniques.unique(rule, key, last)
  }

  #keysAt(board: string, start: number | undefined): readonly [string, string, string] {
    const [order, ids, scores] = boardKeys(this.namespace, board, `${start ?? 0}`)
    return [order, ids, scores]
  }
}

/** What a score is multiplied with to be kept, so that the best one comes first. */
function signOf(best: BoardRule['best']): number {
  return best === 'highest' ? -1 : 1
}

function digestOf(id: string): string {
  return createHash('sha256').update(id).digest('base64url').slice(0, ID_LENGTH)
}
