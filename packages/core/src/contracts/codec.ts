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
 * The entry whose payload a step changes: everything of it that stays as it was written. A step that authenticates binds the
 * bytes to all of this; then they cannot be moved to another key, tags cannot be taken away, "the source has nothing"
 * cannot become a value. What is not here (times, lease, the marks `stale`, `waited`, `settling`) stores change in place.
 */
export interface CodecStepContext extends CodecStepLimits {
  readonly namespace: string
  /** The name of the cache. */
  readonly cache: string
  /** The full key, which begins with the name of the cache. */
  readonly key: string
  /** The bits `FLAG.negative`, `FLAG.error`, `FLAG.put` and `FLAG.refreshed` of the header; the others are 0. */
  readonly flags: number
  /** Unique to this write of this key. */
  readonly commit: number
  /** The tag clock that was known before its load began. */
  readonly birth: number
  /** Fingerprint of the cache's `version`. */
  readonly schema: number
  /** As the header has them, in that order: with a mark before each that tells tags of users from others. */
  readonly tags: readonly string[]
  /** Ids of the steps that were applied before this one, first applied first. */
  readonly stepsBefore: readonly number[]
}

/**
 * A reversible change of an entry's payload bytes, such as compression or encryption.
 *
 * The ids of the applied steps travel in the entry, each at most once, so readers undo exactly those; an id that no step of
 * this manager has makes the entry a miss with an `undecodable` event. What throws while reading does the same. What throws
 * while writing keeps the value out of the shared tier, with a `background-error` event.
 */
export interface CodecStep {
  /** 1 to 255, and never changed: it is written into entries. 1–15 are Larder's own. */
  readonly id: number
  readonly name: string
  /**
   * Entries that this step was not applied to last are not read: a writer of an entry cannot opt out of the step. It has to
   * be the last step that writes, and may not leave bytes unchanged. One step of a manager at most. @default false
   */
  readonly required?: boolean | undefined
  /**
   * For a roll-out of a required step: asked about each entry that it was not applied to last, and true reads it all the
   * same. Absent: none is read.
   */
  readsWithout?(entry: CodecStepContext): boolean
  /** Returns changed bytes, or `undefined` to leave the payload unchanged. Absent: the step only reads. */
  encode?(
    bytes: Uint8Array,
    context: CodecStepContext,
  ): Uint8Array | undefined | Promise<Uint8Array | undefined>
  /** Undoes `encode`; throws when the result would exceed `maxBytes` or the bytes are damaged, or belong to another entry. */
  decode(bytes: Uint8Array, context: CodecStepContext): Uint8Array | Promise<Uint8Array>
}
