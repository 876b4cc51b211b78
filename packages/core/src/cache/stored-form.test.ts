import { describe, expect, it } from 'vitest'
import type { CodecStep, CodecStepContext } from '../contracts/codec.ts'
import { decodeEntry, FLAG } from '../entry/envelope.ts'
import { Emitter } from '../events/emitter.ts'
import { Paced } from '../events/paced.ts'
import { resolveCachePolicy } from '../options/cache-options.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { structuredCodec } from '../testing/structured-codec.ts'
import type { Keepable } from './keep.ts'
import type { CacheNode } from './node.ts'
import type { ReadCall } from './read-call.ts'
import { type Sealed, sealed, storedForm } from './stored-form.ts'
import { ValuePipeline } from './value-pipeline.ts'

const lifetimes = { freshForMs: 1_000, staleForMs: 1_200, livesForMs: 1_230 }
const policy = resolveCachePolicy([{ version: 2 }], 'test')
const call = { cache: 'c', fullKey: 'c:k', policy } as ReadCall
const payload = Buffer.from('payload')

function keptAs(kind: Keepable['kind'], isPut?: boolean): Keepable {
  return { kind, value: 'v', loadMs: 100, tags: ['t'], lifetimes, isPut }
}

function nodeWith(...steps: readonly CodecStep[]) {
  const events = new Emitter()
  const failed: unknown[] = []
  events.on('background-error', (event) => failed.push(event))
  const values = new ValuePipeline(structuredCodec([]), steps, 'shop')
  const clock = new ManualClock()
  const stepFailures = new Paced(10_000, 10)
  return { node: { values, events, clock, stepFailures } as unknown as CacheNode, failed }
}

describe('the stored form', () => {
  it.each([
    ['value', undefined, 0],
    ['value', true, FLAG.put],
    ['negative', undefined, FLAG.negative],
    ['error', undefined, FLAG.error],
  ] as const)(
    'of a result of the kind %s (put: %s) says all there is to know',
    (kind, isPut, flags) => {
      const contexts: CodecStepContext[] = []
      const step: CodecStep = {
        id: 7,
        name: 'notes',
        encode: (bytes, context) => {
          contexts.push(context)
          return bytes
        },
        decode: (bytes) => bytes,
      }
      const kept = keptAs(kind, isPut)
      const made = () => sealed(nodeWith(step).node, call, { kept, payload, birth: 5 }) as Sealed
      const value = made()
      const stored = decodeEntry(storedForm(call, kept, value))
      const identity = { flags, commit: value.commit, birth: 5, schema: policy.schema, tags: ['t'] }
      expect(stored).toMatchObject({ ...identity, ...lifetimes, loadMs: 100 })
      expect([Buffer.from(stored?.payload ?? []).toString(), [...(stored?.steps ?? [])]]).toEqual([
        'payload',
        [7],
      ])
      // What a step was told is what readers will find.
      expect(contexts).toMatchObject([{ ...identity, namespace: 'shop', cache: 'c', key: 'c:k' }])
      expect(value.commit).toBeGreaterThan(0)
      expect(made().commit).not.toBe(value.commit)
    },
  )

  it.each([
    [
      'throws',
      () => {
        throw new Error('no key')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no key'))],
  ])('is none when a step %s, which is reported', async (_, encode) => {
    const step: CodecStep = { id: 7, name: 'fails', encode, decode: (bytes) => bytes }
    const { node, failed } = nodeWith(step)
    const kept = keptAs('value')
    expect(await sealed(node, call, { kept, payload, birth: 5 })).toBeUndefined()
    expect(failed).toEqual([{ task: 'codec steps of c', error: new Error('no key') }])
  })
})
