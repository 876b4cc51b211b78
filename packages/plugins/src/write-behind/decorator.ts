/** `@WriteBehind`: the argument of a method is queued, and written later. */

import {
  type AnyClass,
  type AsyncMethodDecorator,
  type CacheManager,
  describeClass,
  InvalidOptionError,
  type Key,
  KeyError,
} from '@larder/core'
import {
  type AnnotateThis,
  type AnyMethod,
  type ArgsOf,
  assertCalledWithOptions,
  assertKnownOptions,
  assertName,
  assertOneOf,
  assertText,
  type BoundMethod,
  INTERNALS,
  invoke,
  keySource,
  MethodBinder,
  methodDecorator,
  optionNames,
  readCallback,
  type WriteParentheses,
} from '@larder/core/store'
import { openQueue, queueNamed } from './create-write-behind.ts'
import { QUEUE_OPTION_NAMES, type QueueOptions, type Writer } from './queue-options.ts'
import type { WriteQueue } from './write-queue.ts'

type Args = readonly unknown[]

/** Options of `@WriteBehind`. Those of the queue belong to the method that names its writer. */
export interface WriteBehindMethodFields<KeyArgs extends Args, ValueArgs extends Args>
  extends QueueOptions<unknown> {
  /** Name of the queue. 1 to 64 of `A-Z a-z 0-9 _ . -`. */
  readonly queue: string
  /** The key, from the arguments: a function or a template. An array is one composite key. */
  readonly key: string | ((...args: KeyArgs) => Key)
  /** What is queued, from the arguments. @default the first argument */
  readonly value?: ((...args: ValueArgs) => unknown) | undefined
  /** What the call says of its key. @default 'merge' with the option `merge`, else 'value' */
  readonly kind?: 'value' | 'merge' | 'delete' | undefined
  /**
   * Name of the method of the same object that writes a batch: it gets the writes, and the fence and signal. Without it, the queue is
   * one that was made before.
   */
  readonly write?: string | undefined
}

export type WriteBehindMethodOptions<
  KeyArgs extends Args = never,
  ValueArgs extends Args = never,
> = WriteBehindMethodFields<KeyArgs, ValueArgs> & ThisType<AnnotateThis>

const DECORATOR = '@WriteBehind'
const OWN = optionNames<Omit<WriteBehindMethodFields<[], []>, keyof QueueOptions<unknown>>>({
  queue: true,
  key: true,
  value: true,
  kind: true,
  write: true,
})
const NAMES = [...OWN, ...QUEUE_OPTION_NAMES]
const KINDS = ['value', 'merge', 'delete'] as const

interface BoundWrite extends BoundMethod {
  /** The queue, made for this object if need be. */
  queueFor(self: unknown): WriteQueue
}

/** By the options that were noted of a method, what opens its queue; other decorators may stand around the method. */
const openers = new WeakMap<object, (self: object) => void>()

/**
 * Queues what a method is called with, once the method has run: a method that throws queues nothing. The call resolves with the method's
 * result when the store has the write.
 *
 * The method named by `write` runs on the object on which the queue was opened: by the first call, or by `openWriteBehind(object)`.
 *
 * @throws InvalidOptionError when decorated with wrong options; a call rejects as `WriteQueue.put` does
 * @example
 * class Progress {
 *   @WriteBehind({ queue: 'progress', key: (reading: Reading) => reading.userId, write: 'saveAll' })
 *   async save(reading: Reading): Promise<void> {}
 *
 *   async saveAll(writes: readonly WrittenWrite<Reading>[]): Promise<void> {
 *     await db.upsert(writes, currentFlush().fence)
 *   }
 * }
 */
export function WriteBehind<AnnotateKeyArgs extends Args = [], AnnotateValueArgs extends Args = []>(
  options: WriteBehindMethodOptions<AnnotateKeyArgs, AnnotateValueArgs>,
): AsyncMethodDecorator<ArgsOf<AnnotateKeyArgs | AnnotateValueArgs>, unknown>
export function WriteBehind(
  target: object,
  context: unknown,
  descriptor?: unknown,
): WriteParentheses<'@WriteBehind'>
export function WriteBehind(...given: readonly [object]): unknown {
  assertCalledWithOptions(DECORATOR, given)
  const [options] = given as readonly [WriteBehindMethodFields<never, never>]
  assertKnownOptions(options, NAMES, DECORATOR)
  const { kind, valueFrom, queueName } = resolveOwn(options)
  const keys = keySource(options.key, `${DECORATOR}.key`)()
  return methodDecorator(DECORATOR, (original, site) => {
    const binder = new MethodBinder<BoundWrite>({
      decorator: DECORATOR,
      site,
      needsOpen: true,
      tie: (bound) => ({ ...bound, queueFor: (self) => queueOf(bound, options, self) }),
    })
    const { method }: { method: AnyMethod } = {
      async method(this: unknown, ...args: unknown[]): Promise<unknown> {
        const { queueFor, where } = binder.bind(this)
        const queue = queueFor(this)
        // As the caller gave them: the method may change its arguments.
        const key = keyFor(() => keys.of(this, args), where)
        const value = valueFrom === undefined ? args[0] : valueFrom.apply(this, args)
        const result = await invoke(original, this, args, where)
        if (kind === 'delete') await queue.delete(key)
        else if (kind === 'merge') await queue.merge(key, value)
        else await queue.put(key, value)
        return result
      },
    }
    const noted = { ...options, queue: queueName }
    if (options.write !== undefined)
      openers.set(noted, (self) => void binder.bind(self).queueFor(self))
    return { method, operation: { kind: 'write-behind', options: noted } }
  })
}

/**
 * Opens the queues of an object's decorated methods, so that it writes what still waits from before, without a call. Returns the object.
 *
 * @throws as the first call would
 * @example const progress = openWriteBehind(new Progress())
 */
export function openWriteBehind<Target extends object>(object: Target): Target {
  const owner = object.constructor as AnyClass
  for (const { operations } of describeClass(owner).methods)
    for (const { options } of operations) openers.get(options)?.(object)
  return object
}

function resolveOwn(options: WriteBehindMethodFields<never, never>) {
  const { queue, key, value, write, merge } = options
  assertName(queue, `${DECORATOR}.queue`)
  if (key === undefined) {
    const expected = 'a function of the arguments, or a template'
    throw new InvalidOptionError({ option: `${DECORATOR}.key`, expected, received: key })
  }
  if (write !== undefined) assertText(write, `${DECORATOR}.write`)
  const kind = options.kind ?? (merge === undefined ? 'value' : 'merge')
  assertOneOf(kind, KINDS, `${DECORATOR}.kind`)
  return { kind, valueFrom: readCallback(value, `${DECORATOR}.value`), queueName: queue }
}

function queueOf(
  { provider, where }: BoundMethod,
  options: WriteBehindMethodFields<never, never>,
  self: unknown,
): WriteQueue {
  const caches = managerOf(provider, where)
  const { queue, key, value, kind, write, ...queueOptions } = options
  const known = queueNamed(caches, queue)
  if (known !== undefined) return known
  if (write === undefined) {
    throw new InvalidOptionError({
      option: `${where}.queue`,
      expected: `a queue of createWriteBehind, or of a method with write that was opened (openWriteBehind)`,
      received: queue,
    })
  }
  const writer = (self as Record<string, unknown> | undefined)?.[write]
  if (typeof writer !== 'function') {
    const expected = 'the name of a method of the object'
    throw new InvalidOptionError({ option: `${where}.write`, expected, received: write })
  }
  const call: Writer<unknown> = async (writes, context) => writer.call(self, writes, context)
  return openQueue(caches, { ...queueOptions, name: queue, write: call }, where)
}

function managerOf(provider: object, where: string): CacheManager {
  const { writes } = (provider as Partial<CacheManager>)[INTERNALS] ?? {}
  if (typeof writes === 'function') return provider as CacheManager
  throw new InvalidOptionError({
    option: where,
    expected: 'a manager that has write queues, such as that of createCacheManager',
    received: provider,
  })
}

/** A KeyError says which method it is about. */
function keyFor(make: () => string, where: string): string {
  try {
    return make()
  } catch (error) {
    if (error instanceof KeyError) throw new KeyError(`${where}: ${error.message}`)
    throw error
  }
}
