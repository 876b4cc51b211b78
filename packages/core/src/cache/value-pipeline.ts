/** From a value to payload bytes and back: the codec, then the plugins' codec steps, undone in reverse on reading. */

import type { Codec, CodecStep, CodecStepContext } from '../contracts/codec.ts'
import { FLAG } from '../entry/envelope.ts'
import { freezeDecoded } from '../entry/freeze.ts'
import { UndecodableEntry } from '../entry/undecodable-entry.ts'
import { assertSteps } from './step-order.ts'

/** Bytes, and the ids of the steps that made them. */
export interface EncodedValue {
  readonly payload: Uint8Array
  readonly steps: readonly number[]
}

/** What of an entry its payload belongs to. */
export type EntryIdentity = Omit<CodecStepContext, 'maxBytes' | 'stepsBefore' | 'namespace'>

const NO_STEPS: readonly number[] = []

/** Flags that no store changes: what the payload is. */
export const IDENTIFYING_FLAGS = FLAG.negative | FLAG.error | FLAG.put | FLAG.refreshed

/** The most a payload may grow to on decoding; guards against decompression bombs. */
const MAX_DECODED_BYTES = 64 * 1024 * 1024

export class ValuePipeline {
  readonly codec: Codec
  readonly #namespace: string
  readonly #writing: readonly CodecStep[]
  readonly #byId: ReadonlyMap<number, CodecStep>
  readonly #required: CodecStep | undefined

  /** @throws InvalidOptionError when two steps share an id, an id is not 1 to 255, or a required step is not the last one */
  constructor(codec: Codec, steps: readonly CodecStep[], namespace = '') {
    assertSteps(steps)
    this.codec = codec
    this.#namespace = namespace
    this.#writing = steps.filter((step) => step.encode !== undefined)
    this.#byId = new Map(steps.map((step) => [step.id, step]))
    this.#required = steps.find((step) => step.required === true)
  }

  /** Applies the steps to what the codec made of a value; synchronous unless a step is not. Throws what a step throws. */
  seal(payload: Uint8Array, entry: EntryIdentity): EncodedValue | Promise<EncodedValue> {
    if (this.#writing.length === 0) return { payload, steps: NO_STEPS }
    return this.#seal(payload, entry, NO_STEPS, 0)
  }

  /** True where nothing but the codec has to do with a payload that has gone through these steps. */
  isPlain(steps: Uint8Array): boolean {
    return steps.length === 0 && this.#required === undefined
  }

  /** Undoes the steps that an entry says it has gone through; synchronous unless a step is not. @throws UndecodableEntry */
  open(
    payload: Uint8Array,
    steps: Uint8Array,
    entry: EntryIdentity,
  ): Uint8Array | Promise<Uint8Array> {
    const ids = [...steps]
    this.#assertReadable(ids, entry)
    return this.#open(payload, entry, ids)
  }

  /** Decodes opened bytes, `frozen` all the way down or not. @throws UndecodableEntry */
  decode(bytes: Uint8Array, frozen: boolean): unknown {
    const { codec } = this
    try {
      if (!frozen) return codec.decode(bytes)
      return codec.decodeFrozen === undefined
        ? freezeDecoded(codec.decode(bytes))
        : codec.decodeFrozen(bytes)
    } catch (error) {
      throw new UndecodableEntry('value', error)
    }
  }

  #seal(
    payload: Uint8Array,
    entry: EntryIdentity,
    applied: readonly number[],
    from: number,
  ): EncodedValue | Promise<EncodedValue> {
    let bytes = payload
    let steps = applied
    for (let i = from; i < this.#writing.length; i++) {
      const step = this.#writing[i] as CodecStep
      const changed = step.encode?.(bytes, this.#contextOf(entry, steps))
      if (isPromise(changed)) {
        const before = { bytes, steps }
        return changed.then((made) => {
          const next = changedBy(step, made, before)
          return this.#seal(next.bytes, entry, next.steps, i + 1)
        })
      }
      ;({ bytes, steps } = changedBy(step, changed, { bytes, steps }))
    }
    return { payload: bytes, steps }
  }

  /** Undoes steps, the last one first. */
  #open(
    payload: Uint8Array,
    entry: EntryIdentity,
    ids: readonly number[],
  ): Uint8Array | Promise<Uint8Array> {
    let bytes = payload
    for (let left = ids.length; left > 0; left--) {
      const before = ids.slice(0, left - 1)
      const step = this.#byId.get(ids[left - 1] as number)
      // Known: `#assertReadable` has looked.
      if (step === undefined) break
      let opened: Uint8Array | Promise<Uint8Array>
      try {
        opened = step.decode(bytes, this.#contextOf(entry, before))
      } catch (error) {
        throw new UndecodableEntry('step', error)
      }
      if (isPromise(opened)) {
        return opened.then(
          (made) => this.#open(made, entry, before),
          (error: unknown) => Promise.reject(new UndecodableEntry('step', error)),
        )
      }
      bytes = opened
    }
    return bytes
  }

  /** What an entry says of its steps must not be trusted: anybody who can write to the store can put anything there. */
  #assertReadable(ids: readonly number[], entry: EntryIdentity): void {
    if (new Set(ids).size < ids.length) {
      throw new UndecodableEntry('format', new Error('The entry names a codec step twice'))
    }
    const unknown = ids.find((id) => !this.#byId.has(id))
    if (unknown !== undefined) {
      const error = new Error(`The entry needs codec step ${unknown}, which no plugin here knows`)
      throw new UndecodableEntry('unknown-step', error)
    }
    const required = this.#required
    if (required === undefined || ids.at(-1) === required.id) return
    if (required.readsWithout?.(this.#contextOf(entry, ids)) === true) return
    const error = new Error(
      `The entry did not go through the codec step ${required.name}, which is required here`,
    )
    throw new UndecodableEntry('missing-step', error)
  }

  #contextOf(entry: EntryIdentity, stepsBefore: readonly number[]): CodecStepContext {
    return { ...entry, namespace: this.#namespace, stepsBefore, maxBytes: MAX_DECODED_BYTES }
  }
}

interface Applied {
  readonly bytes: Uint8Array
  readonly steps: readonly number[]
}

/** @throws TypeError when a required step leaves bytes as they are: nobody would read them */
function changedBy(step: CodecStep, made: Uint8Array | undefined, before: Applied): Applied {
  if (made !== undefined) return { bytes: made, steps: [...before.steps, step.id] }
  if (step.required === true) {
    throw new TypeError(`The codec step ${step.name} is required, and left the bytes unchanged`)
  }
  return before
}

function isPromise<Result>(made: Result | Promise<Result>): made is Promise<Result> {
  return made instanceof Promise
}
