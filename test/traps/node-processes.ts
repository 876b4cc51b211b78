/** Starts nodes in processes of their own and talks to them. */

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Redis } from 'ioredis'
import { inject, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { freshNamespace } from '../support/nodes.ts'
import { sourceRunner } from '../support/process/source-runner.ts'
import type { NodeOrder } from './node-process.ts'

export interface NodeProcess {
  readonly child: ChildProcess
  /** Keys whose loader has read the source so far. */
  readonly loading: string[]
  order(order: Omit<NodeOrder, 'id'>): Promise<unknown>
}

export interface Fleet {
  readonly nodes: readonly NodeProcess[]
  setSource(value: string): Promise<void>
  loads(): Promise<number>
}

/** Starts `count` nodes of a fresh namespace on the given Redis, and waits until each is verified. */
export async function startFleet(count: number, url = inject('redisUrl')): Promise<Fleet> {
  const namespace = freshNamespace()
  const client = new Redis(url)
  client.on('error', () => undefined)
  onTestFinished(() => client.disconnect())
  const nodes = await Promise.all(
    Array.from({ length: count }, () => startNodeProcess(url, namespace)),
  )
  return {
    nodes,
    setSource: async (value) => void (await client.set(`source:${namespace}`, value, 'EX', 600)),
    loads: async () => Number((await client.get(`loads:${namespace}`)) ?? 0),
  }
}

interface Report {
  readonly id?: number
  readonly value?: unknown
  readonly error?: string
  readonly state?: string
  readonly loading?: string
  readonly unhandled?: string
}

async function startNodeProcess(url: string, namespace: string): Promise<NodeProcess> {
  const child = fork(new URL('node-process.ts', import.meta.url), [url, namespace], {
    execArgv: sourceRunner(),
  })
  const waiting = new Map<number, (report: Report) => void>()
  const loading: string[] = []
  let state: string | undefined
  let lastId = 0
  child.on('message', (report: Report) => {
    if (report.unhandled !== undefined) throw new Error(`Unhandled in a node: ${report.unhandled}`)
    if (report.loading !== undefined) loading.push(report.loading)
    state = report.state ?? state
    if (report.id !== undefined) waiting.get(report.id)?.(report)
  })
  const order = (wanted: Omit<NodeOrder, 'id'>): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = ++lastId
      waiting.set(id, ({ value, error }) =>
        error === undefined ? resolve(value) : reject(new Error(error)),
      )
      child.send({ id, ...wanted })
    })
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  })
  await eventually('the node process is verified', () => state === 'verified', 30_000)
  return { child, loading, order }
}
