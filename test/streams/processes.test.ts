/** Consumers in processes that are killed, frozen and held up: each message is handled at least once, or is a dead letter. */

import type { DeadLetter, Stream } from '@larder/plugins/messaging'
import { Redis } from 'ioredis'
import { expect, inject, it, onTestFinished } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startWorker, type WorkerProcess } from '../support/process/worker.ts'
import { type RedisServer, startRedis } from '../support/redis/redis-server.ts'
import { randomFrom, testSeed } from '../support/seed.ts'
import type { CrashStep, StreamWorkerInit, worker } from './stream.worker.ts'
import { openStage, type StreamStage } from './support/stage.ts'

const ROOM_MS = 60_000
/** `STREAM_CHAOS=300` lets it run for five minutes; in CI it is short. */
const CHAOS_MS = Number(process.env['STREAM_CHAOS'] ?? 8) * 1_000

const seed = testSeed()

type Worker = WorkerProcess<typeof worker>

interface Scene {
  readonly stage: StreamStage
  /** What was done, in order: a word and the id of a message. */
  did(): Promise<readonly string[]>
  begin(init?: Partial<StreamWorkerInit>): Promise<Worker>
}

async function openScene(server?: RedisServer): Promise<Scene> {
  const url = server?.url ?? inject('redisUrl')
  const stage = openStage('on Redis', { url })
  const ledger = `${stage.namespace}-ledger`
  const redis = new Redis(inject('redisUrl'))
  onTestFinished(async () => {
    await redis.del(ledger)
    redis.disconnect()
  })
  const common = { url, ledgerUrl: inject('redisUrl'), namespace: stage.namespace, ledger }
  return {
    stage,
    did: () => redis.lrange(ledger, 0, -1),
    begin: async (init) => {
      const module = new URL('./stream.worker.ts', import.meta.url)
      const started = await startWorker<typeof worker>(module, { ...common, ...init })
      onTestFinished(() => started.kill())
      return started
    },
  }
}

it.each<CrashStep>(['begin', 'end', 'telling', 'told'])(
  'a process that is killed at the step "%s" loses no message',
  async (crashAt) => {
    const { stage, did, begin } = await openScene()
    const stream = stage.stream<string>({ name: 's' })
    await stream.addMany(['a', 'b', 'c', 'd', 'e', 'f'], { idOf: (text) => text })
    await begin({ crashAt })
    await eventually(
      'the first process has taken messages',
      async () => (await stream.status('g')).consumers > 0,
      ROOM_MS,
    )
    await begin()
    await eventually(
      'all are done',
      async () => {
        const { pending, unread } = await stream.status('g')
        return pending === 0 && unread === 0
      },
      ROOM_MS,
    )
    const ended = (await did()).filter((line) => line.startsWith('ended'))
    expect([...new Set(ended)].sort()).toEqual('abcdef'.split('').map((id) => `ended ${id}`))
    expect((await stream.status('g')).deadLetters).toBe(0)
  },
  120_000,
)

it('a process that is frozen for longer than the visibility runs a handler twice, and what ended is not begun again', async () => {
  const { stage, did, begin } = await openScene()
  const stream = stage.stream<string>({ name: 's' })
  await stream.add('a', { id: 'a' })
  const frozen = await begin({ waits: true, dedupe: true })
  await eventually('it began', async () => (await did()).includes('began a'), ROOM_MS)
  frozen.pause()
  const other = await begin({ waits: true, dedupe: true })
  const begins = async () => (await did()).filter((line) => line === 'began a').length
  await eventually('it began once more, elsewhere', async () => (await begins()) === 2, ROOM_MS)
  await other.call('goOn')
  await eventually('it was handled', async () => (await did()).includes('handled a'), ROOM_MS)
  frozen.resume()
  await frozen.call('goOn')
  await eventually('both have ended', async () => {
    return (await did()).filter((line) => line === 'ended a').length === 2
  })
  // From here on it is known, whatever happens to the group.
  const redis = new Redis(inject('redisUrl'))
  onTestFinished(() => redis.disconnect())
  await redis.xgroup('DESTROY', `{${stage.namespace}:stream:s}`, 'g')
  const isKnown = async () => (await did()).includes('duplicate a')
  await eventually('it is delivered anew, and recognised', isKnown, ROOM_MS)
  expect(await begins()).toBe(2)
  await eventually('it is done', async () => (await stream.status('g')).pending === 0)
}, 120_000)

it('a handler that blocks the event loop for longer than the visibility comes to its end', async () => {
  const { stage, did, begin } = await openScene()
  const stream = stage.stream<string>({ name: 's' })
  await stream.add('a', { id: 'a' })
  await begin({ blockMs: 2_500, dedupe: true })
  await begin({ dedupe: true })
  await eventually(
    'it is done',
    async () => (await did()).includes('ended a') && (await stream.status('g')).pending === 0,
    ROOM_MS,
  )
}, 120_000)

it(
  `nothing is lost while processes are killed and frozen, and Redis is killed (SEED=${seed})`,
  async () => {
    const random = randomFrom(seed)
    const server = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
    onTestFinished(() => server.stop())
    const { stage, did, begin } = await openScene(server)
    const stream = stage.stream<string>({ name: 's', storeTimeout: '500ms' })
    const workers = [await begin(), await begin()]
    const added: string[] = []
    const until = performance.now() + CHAOS_MS
    const publishing = (async () => {
      for (let i = 0; performance.now() < until; i++) {
        const id = `${i}`
        // After an error it may be there or not: it is added again with its id.
        await eventually(
          'it is added',
          () => stream.add(isPoison(i) ? 'poison' : 'fine', { id }),
          ROOM_MS,
        )
        added.push(id)
      }
    })()
    const at = (): number => random.int(workers.length)
    while (performance.now() < until) {
      const place = at()
      const chosen = workers[place] as Worker
      const what = random.next()
      if (what < 0.4) {
        await chosen.kill()
        workers[place] = await begin()
      } else if (what < 0.7) {
        chosen.pause()
        await eventually('it is past the visibility', after(1_200))
        chosen.resume()
      } else {
        await server.kill()
        await server.start()
      }
      await eventually('some time has passed', after(300))
    }
    await publishing
    await eventually(
      'everything is settled',
      async () => {
        const { pending, unread, deadLetters } = await stream.status('g')
        return pending === 0 && (unread ?? 0) === 0 && deadLetters > 0
      },
      ROOM_MS * 2,
    )
    const lines = new Set(await did())
    const letters = await allLetters(stream)
    const dead = letters.map(({ attributes }) => attributes?.id ?? '')
    expect(new Set(dead).size).toBe(dead.length)
    expect(added.filter((id) => !lines.has(`ended ${id}`) && !dead.includes(id))).toEqual([])
    expect(added.filter((id) => isPoison(Number(id)) && lines.has(`ended ${id}`))).toEqual([])
    expect(dead.filter((id) => lines.has(`handled ${id}`))).toEqual([])
  },
  240_000 + CHAOS_MS,
)

/** Seldom, so that also in a long run there are fewer than the dead letters that are kept. */
function isPoison(number: number): boolean {
  return number % 50 === 0
}

/** They are listed by pages, and a fast machine makes many of them. */
async function allLetters(stream: Pick<Stream<string>, 'deadLetters'>): Promise<DeadLetter[]> {
  const all: DeadLetter[] = []
  for (;;) {
    const page = await stream.deadLetters('g', { count: 1_000, after: all.at(-1)?.letter })
    if (page.length === 0) return all
    all.push(...page)
  }
}

/** A condition that is true after some time: what is done here is measured in time. */
function after(ms: number): () => boolean {
  const begun = performance.now()
  return () => performance.now() - begun >= ms
}
