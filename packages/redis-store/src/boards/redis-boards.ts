/** Leaderboards on Redis. Every step is one script on the server's clock; what each does is said in lua/board-*.lua. */

import { StoreKeyError } from '@larder/core'
import {
  type BoardCapabilities,
  type BoardPart,
  type BoardProvider,
  type BoardReply,
  type BoardRule,
  type BoardScore,
  type BoardView,
  INTERNALS,
  type PeriodsNow,
  periodsOf,
  type SubmitReply,
} from '@larder/core/store'
import { Backend, type TroubleListener } from '../backend.ts'
import { numberOf } from '../commands/replies.ts'
import type { ScriptCall } from '../commands/script-runner.ts'
import { boardClockKey, boardKeys } from '../key-layout.ts'
import { ServerCalendar } from '../limits/server-calendar.ts'
import {
  type RedisInternals,
  type RedisStoreOptions,
  type ResolvedRedisStoreOptions,
  resolveRedisStoreOptions,
} from '../options.ts'
import { readLook, readSubmitted } from './board-replies.ts'

const US_PER_MS = 1_000

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

export interface RedisBoardsParts {
  readonly backend: Backend
  readonly options: ResolvedRedisStoreOptions
  /** Closing this provider closes the backend too. */
  readonly ownsBackend: boolean
  /** The server's clock as a test sets it, µs. */
  readonly nowUs?: () => number
}

export class RedisBoards implements BoardProvider {
  readonly name = 'redis'
  readonly capabilities: BoardCapabilities = { shared: true }
  readonly #parts: RedisBoardsParts
  readonly #calendar = new ServerCalendar()
  #namespace: string | undefined

  constructor(parts: RedisBoardsParts) {
    this.#parts = parts
  }

  /** For tools. Not a field: what prints it must not print its URL. */
  get [INTERNALS](): RedisInternals {
    return { options: this.#parts.options }
  }

  onTrouble(listener: TroubleListener): void {
    this.#parts.backend.onTrouble = listener
  }

  open(namespace: string): void {
    this.#namespace = namespace
    this.#parts.backend.open(namespace, 'boards')
  }

  whenTried(): Promise<void> {
    return this.#parts.backend.whenTried()
  }

  async submit(rule: BoardRule, scores: readonly BoardScore[]): Promise<readonly SubmitReply[]> {
    const { board, update, best, ties, keep } = rule
    const reply = await this.#run(rule, ({ starts, keptUntil }) => ({
      script: 'boardSubmit',
      keys: [...this.#keysAt(board, starts[0]), boardClockKey(this.#openNamespace, board)],
      args: [
        Number.isFinite(keptUntil) ? keptUntil : '',
        update,
        signOf(best),
        ties,
        keep,
        ...scores.flatMap(({ member, score }) => [member, score]),
      ],
    }))
    return readSubmitted(reply)
  }

  async look(rule: BoardRule, view: BoardView, part: BoardPart): Promise<BoardReply> {
    const { board, update, best, ties } = rule
    const { ago, merge, maxAgeMs } = view
    const asked = part.kind === 'range' ? [part.skip, part.take] : [part.member, part.each]
    const reply = await this.#run(rule, ({ starts }) => {
      const merged = starts.slice(ago, ago + merge)
      const [first] = merged
      const orders = merged.map((start) => this.#keysAt(board, start)[0])
      const keys =
        merge === 1
          ? this.#keysAt(board, first)
          : [...boardKeys(this.#openNamespace, board, `${first}+${merge}`), ...orders]
      const args = [update, signOf(best), ties, maxAgeMs, part.kind, ...asked]
      return { script: 'boardLook', keys, args }
    })
    return readLook(reply)
  }

  async remove(rule: BoardRule, member: string): Promise<number> {
    const [removed] = await this.#run(rule, ({ starts }) => ({
      script: 'boardRemove',
      keys: starts.flatMap((start) => this.#keysAt(rule.board, start)),
      args: [member],
    }))
    return numberOf(removed)
  }

  async close(): Promise<void> {
    if (this.#parts.ownsBackend) await this.#parts.backend.close()
  }

  get #openNamespace(): string {
    if (this.#namespace === undefined) throw new Error('The Redis boards are not open')
    return this.#namespace
  }

  #keysAt(board: string, start: number | undefined): readonly [string, string, string] {
    const [order, ids, scores] = boardKeys(this.#openNamespace, board, `${start ?? 0}`)
    return [order, ids, scores]
  }

  /**
   * Runs a script for the period that the server's clock is in. The keys name periods, so a script that finds itself in another one
   * says so, and is run again.
   *
   * @returns the reply without its first word
   * @throws StoreKeyError for what the server answers about this board
   */
  async #run(
    rule: BoardRule,
    callFor: (periods: PeriodsNow) => ScriptCall,
  ): Promise<readonly unknown[]> {
    const nowUs = this.#parts.nowUs?.()
    return this.#calendar.reached(async () => {
      const atUs = nowUs ?? this.#calendar.serverUs
      const periods = periodsOf(rule).at(Math.floor(atUs / US_PER_MS))
      const edges = Number.isFinite(periods.from) ? [periods.from, periods.until] : ['', '']
      const call = callFor(periods)
      const [isReached, ...answer] = await this.#reply({
        ...call,
        args: [nowUs ?? '', ...edges, ...call.args],
      })
      if (isReached === 1) return { answer }
      return { nowUs: numberOf(answer[0]) * US_PER_MS }
    })
  }

  async #reply(call: ScriptCall): Promise<readonly unknown[]> {
    try {
      return await this.#parts.backend.run(call)
    } catch (error) {
      const isAnswer = error instanceof Error && error.name === 'ReplyError'
      throw isAnswer ? new StoreKeyError(`boards.${call.script}`, error) : error
    }
  }
}

/** What a score is multiplied with to be kept, so that the best one comes first. */
function signOf(best: BoardRule['best']): number {
  return best === 'highest' ? -1 : 1
}
