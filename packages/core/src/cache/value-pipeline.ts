/** From a value to payload bytes and back: the codec, then the plugins' codec steps, undone in reverse on reading. */

import type { Codec, CodecStep } from '../contracts/codec.ts'
import { freezeDecoded } from '../entry/freeze.ts'
import { InvalidOptionError } from '../errors/option-error.ts'

/** Bytes, and the ids of the steps that made them. */
export interface EncodedValue {
  readonly payload: Uint8Array
  readonly steps: readonly number[]
}

const NO_STEPS: readonly number[] = []

/** The most a payload may grow to on decoding; guards against decompression bombs. */
const MAX_DECODED_BYTES = 64 * 1024 * 1024

export class ValuePipeline {
  readonly codec: Codec
  readonly #steps: readonly CodecStep[]
  readonly #byId = new Map<number, CodecStep>()
  readonly #limits = { maxBytes: MAX_DECODED_BYTES }

  /** @throws InvalidOptionError when two steps share an id, or an id is not 1 to 255. */
  constructor(codec: Codec, steps: readonly CodecStep[]) {
    this.codec = codec
    this.#steps = steps.filter((step) => step.encode !== undefined)
    for (const step of steps) this.#register(step)
  }

  /** Encodes a value; synchronous unless a step is not. */
  encode(value: unknown): EncodedValue | Promise<EncodedValue> {
    const payload = this.codec.encode(value)
    return this.#steps.length === 0 ? { payload, steps: NO_STEPS } : this.#applySteps(payload)
  }

  /**
   * Decodes a payload, `frozen` all the way down or not; synchronous unless steps were applied. Throws (or rejects) on bytes
   * that do not decode.
   */
  decode(payload: Uint8Array, steps: Uint8Array, frozen: boolean): unknown {
    if (steps.length > 0) return this.#undoSteps(payload, steps, frozen)
    return this.#decode(payload, frozen)
  }

  #decode(bytes: Uint8Array, frozen: boolean): unknown {
    const { codec } = this
    if (!frozen) return codec.decode(bytes)
    return codec.decodeFrozen === undefined
      ? freezeDecoded(codec.decode(bytes))
      : codec.decodeFrozen(bytes)
  }

  async #applySteps(payload: Uint8Array): Promise<EncodedValue> {
    const applied: number[] = []
    let bytes = payload
    for (const step of this.#steps) {
      const changed = await step.encode?.(bytes, this.#limits)
      if (changed === undefined) continue
      bytes = changed
      applied.push(step.id)
    }
    return { payload: bytes, steps: applied }
  }

  async #undoSteps(payload: Uint8Array, steps: Uint8Array, frozen: boolean): Promise<unknown> {
    let bytes = payload
    for (const id of [...steps].reverse()) {
      const step = this.#byId.get(id)
      if (step === undefined)
        throw new Error(`The entry needs codec step ${id}, which no plugin here knows`)
      bytes = await step.decode(bytes, this.#limits)
    }
    return this.#decode(bytes, frozen)
  }

  #register(step: CodecStep): void {
    const known = this.#byId.get(step.id)
    const isValid = Number.isInteger(step.id) && step.id >= 1 && step.id <= 255
    if (isValid && known === undefined) {
      this.#byId.set(step.id, step)
      return
    }
    throw new InvalidOptionError({
      option: `codec step ${step.name}.id`,
      expected:
        known === undefined
          ? 'a whole number from 1 to 255'
          : `an id other than that of ${known.name}`,
      received: step.id,
    })
  }
}
