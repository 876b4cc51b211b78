/** From values to bytes and back: one codec per cache manager, and optional steps over the bytes. */

/** Turns values into bytes and back; a decoded value equals the encoded one, or `encode` throws. */
export interface Codec {
  readonly name: string
  /**
   * Encodes a value into bytes that stay valid after later calls.
   *
   * @throws ValueError when the decoded value would not be the same.
   */
  encode(value: unknown): Uint8Array
  /** Decodes bytes; throws on truncated, foreign or hostile input, and never pollutes a prototype. */
  decode(bytes: Uint8Array): unknown
  /**
   * Decodes bytes and freezes plain objects and arrays in what they hold, all the way down; otherwise as `decode`. For codecs
   * that look over what they decoded anyway. Absent: the engine freezes what `decode` returned where frozen values are wanted.
   */
  decodeFrozen?(bytes: Uint8Array): unknown
}

/** Teaches codecs a class: `name` goes on the wire, so it must stay the same across deployments. */
export interface ValueType<Value = unknown> {
  readonly name: string
  readonly class: abstract new (
    // biome-ignore lint/suspicious/noExplicitAny: a constructor's parameters are irrelevant here.
    ...args: any[]
  ) => Value
  /** Returns plain data that holds everything `decode` needs. */
  encode(value: Value): unknown
  decode(data: unknown): Value
}

/** Makes a codec that knows the given registered types. */
export type CodecFactory = (types: readonly ValueType[]) => Codec

/** How much memory a codec step may use. */
export interface CodecStepLimits {
  /** The most bytes a decoded payload may have. */
  readonly maxBytes: number
}

/**
 * A reversible change of an entry's payload bytes, such as compression or encryption.
 *
 * The ids of the applied steps travel in the entry, so readers undo exactly those; an id that no step of this manager has
 * makes the entry a miss with an `undecodable` event.
 */
export interface CodecStep {
  /** 1 to 255, and never changed: it is written into entries. 1–15 are Larder's own. */
  readonly id: number
  readonly name: string
  /** Returns changed bytes, or `undefined` to leave the payload unchanged. Absent: the step only reads. */
  encode?(
    bytes: Uint8Array,
    limits: CodecStepLimits,
  ): Uint8Array | undefined | Promise<Uint8Array | undefined>
  /** Undoes `encode`; throws when the result would exceed `limits.maxBytes` or the bytes are damaged. */
  decode(bytes: Uint8Array, limits: CodecStepLimits): Uint8Array | Promise<Uint8Array>
}
