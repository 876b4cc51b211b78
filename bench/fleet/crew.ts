/** The fleet: its nodes are spread over a few processes, which are told what to do. */

import { type ChildProcess, fork } from 'node:child_process'
import type { SchemeName, Servers } from './schemes.ts'

export type Order =
  | {
      readonly kind: 'start'
      readonly scheme: SchemeName
      readonly servers: Servers
      readonly count: number
    }
  | {
      readonly kind: 'listen'
      readonly url: string
      readonly channel: string
      readonly count: number
    }
  | { readonly kind: 'evict'; readonly times: number }
  | { readonly kind: 'load'; readonly perSecond: number; readonly lastsMs: number }
  | { readonly kind: 'close' }

export interface Told {
  readonly evictions?: number
  readonly tookMs?: number
  readonly oldestMs?: number
}

type Answer = { readonly id: number } & ({ readonly told: Told } | { readonly error: string })

const NODES_PER_PROCESS = 100
const MOST_PROCESSES = 5

export interface Staff {
  readonly scheme: SchemeName
  readonly servers: Servers
  readonly nodes: number
}

export class Crew implements AsyncDisposable {
  readonly #children: readonly ChildProcess[]
  #lastId = 0

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children
  }

  /** Starts processes with so many nodes in all; each process holds at most `perProcess`, unless that would be too many. */
  static async start(
    { scheme, servers, nodes }: Staff,
    perProcess = NODES_PER_PROCESS,
  ): Promise<Crew> {
    const processes = Math.min(MOST_PROCESSES, Math.ceil(nodes / perProcess))
    const children = Array.from({ length: processes }, () =>
      fork(new URL('./crew.worker.ts', import.meta.url)),
    )
    const crew = new Crew(children)
    const counts = shares(nodes, processes)
    await crew.#each((i) => ({ kind: 'start', scheme, servers, count: counts[i] ?? 0 }))
    return crew
  }

  /** Adds subscribers that read and forget. */
  async listen(url: string, channel: string, count: number): Promise<void> {
    const counts = shares(count, this.#children.length)
    await this.#each((i) => ({ kind: 'listen', url, channel, count: counts[i] ?? 0 }))
  }

  /** Evicts so many keys, one after the other. */
  async evict(times: number): Promise<void> {
    const counts = shares(times, this.#children.length)
    for (const i of this.#children.keys())
      await this.#tell(i, { kind: 'evict', times: counts[i] ?? 0 })
  }

  /** Evicts so many keys a second for a while; returns how many it came to, and the oldest value that was served. */
  async load(perSecond: number, lastsMs: number): Promise<Required<Told>> {
    const share = perSecond / this.#children.length
    const told = await this.#each(() => ({ kind: 'load', perSecond: share, lastsMs }))
    const most = (of: (each: Told) => number | undefined): number =>
      Math.max(...told.map((each) => of(each) ?? 0))
    return {
      evictions: told.reduce((sum, { evictions = 0 }) => sum + evictions, 0),
      tookMs: most(({ tookMs }) => tookMs),
      oldestMs: most(({ oldestMs }) => oldestMs),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#each(() => ({ kind: 'close' })).catch(() => undefined)
    for (const child of this.#children) child.kill()
  }

  #each(orderOf: (index: number) => Order): Promise<readonly Told[]> {
    return Promise.all([...this.#children.keys()].map((i) => this.#tell(i, orderOf(i))))
  }

  #tell(index: number, order: Order): Promise<Told> {
    const child = this.#children[index] as ChildProcess
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const end = (): void => {
        child.off('message', onAnswer)
        child.off('exit', onExit)
      }
      const onAnswer = (answer: Answer): void => {
        if (answer.id !== id) return
        end()
        if ('error' in answer) reject(new Error(answer.error))
        else resolve(answer.told)
      }
      const onExit = (code: number | null): void => {
        end()
        reject(new Error(`A process of the fleet ended with ${code}`))
      }
      child.on('message', onAnswer)
      child.on('exit', onExit)
      child.send({ id, order })
    })
  }
}

/** Divides a number into parts that differ by one at most. */
function shares(total: number, parts: number): readonly number[] {
  return Array.from(
    { length: parts },
    (_, i) => Math.floor(total / parts) + (i < total % parts ? 1 : 0),
  )
}
