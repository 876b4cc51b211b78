/**
 * `@StreamHandler`: a method that handles the messages of a stream.
 *
 * The decorator only notes the method. An instance begins to handle messages when `startHandlers` is called for it: a constructor that began
 * by itself would handle messages before the application is ready, and again in each test that makes an instance; and nobody could
 * close it.
 */

import { InvalidOptionError } from '@larder/core'
import { assertKnownOptions, optionNames } from '@larder/core/store'
import type { Delivery } from './delivery.ts'
import { HANDLE_NAMES, type HandleOptions, resolveHandleOptions } from './handle-options.ts'
import { isStream, type Stream } from './stream.ts'
import type { StreamConsumer } from './stream-consumer.ts'

export interface StreamHandlerOptions<Output> extends HandleOptions {
  /** The stream, or a function that returns it, for one that is made after the class; called by `startHandlers`. */
  readonly stream: Stream<never, Output> | (() => Stream<never, Output>)
}

/** Decorates a method that takes a message and its delivery. */
export interface StreamMethodDecorator<Output> {
  /** Standard decorators. */
  <Method extends (message: Output, delivery: Delivery) => unknown>(
    method: Method,
    context: ClassMethodDecoratorContext,
  ): void
  /** `experimentalDecorators`. */
  <Method extends (message: Output, delivery: Delivery) => unknown>(
    target: object,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): void
}

/** The handlers of an instance, at work. */
export interface RunningHandlers extends AsyncDisposable {
  readonly consumers: readonly StreamConsumer[]
  /** Resolves when all groups are there. */
  ready(): Promise<void>
  /** Closes all consumers. */
  close(): Promise<void>
}

interface NotedHandler {
  readonly options: StreamHandlerOptions<unknown>
  /** The method as it is now: another decorator may have wrapped it, or a subclass replaced it. */
  methodOf(instance: object): unknown
}

type Noted = Map<string | symbol, NotedHandler>

/** Of all copies of this package in the process: one may have decorated what another one starts. */
const PLACE = Symbol.for('@larder/plugins:stream-handlers 1')
const places = globalThis as { [PLACE]?: WeakMap<object, Noted> }
/** By instance with standard decorators, by prototype or class with the others. */
const noted = notedOfAllCopies()

const DECORATOR = '@StreamHandler'
const OWN_NAMES = optionNames<Omit<StreamHandlerOptions<unknown>, keyof HandleOptions>>({
  stream: true,
})
const NAMES = [...OWN_NAMES, ...HANDLE_NAMES]

/**
 * Makes a method the handler of a stream's messages, for one consumer of a group, once `startHandlers` is called with the instance.
 *
 * @throws InvalidOptionError at definition, naming the option
 * @example `@StreamHandler({ stream: emails, group: 'mailer', concurrency: 8 }) async send(email: Email): Promise<void> { … }`
 */
export function StreamHandler<Output>(
  options: StreamHandlerOptions<Output>,
): StreamMethodDecorator<Output> {
  assertKnownOptions(options, NAMES, DECORATOR)
  const { stream, ...handling } = options
  if (!isStream(stream) && typeof stream !== 'function') {
    const expected = 'a stream of createStream, or a function that returns one'
    throw new InvalidOptionError({ option: `${DECORATOR}.stream`, expected, received: stream })
  }
  resolveHandleOptions(handling, DECORATOR)
  const either = (target: unknown, context: unknown, descriptor?: unknown): void => {
    const kept = options as StreamHandlerOptions<unknown>
    if (isStandardContext(context)) noteStandard(kept, context)
    else noteLegacy(kept, target, context, descriptor)
  }
  // The two call signatures are distinguished at run time, which no type can express.
  return either as StreamMethodDecorator<Output>
}

/**
 * Starts the handlers of an instance, or of a class for its static methods: a consumer for each decorated method.
 *
 * @throws InvalidOptionError when nothing of it is decorated, or as `stream.handle`
 * @example const handlers = startHandlers(new Mailer()); process.once('SIGTERM', () => handlers.close())
 */
export function startHandlers(instance: object): RunningHandlers {
  const handlers = handlersOf(instance)
  if (handlers.size === 0) {
    const expected = `an object with methods that ${DECORATOR} decorates`
    throw new InvalidOptionError({ option: 'startHandlers.instance', expected, received: instance })
  }
  const consumers: StreamConsumer[] = []
  const close = async (): Promise<void> => {
    await Promise.all(consumers.map((consumer) => consumer.close()))
  }
  try {
    for (const handler of handlers.values()) consumers.push(start(handler, instance))
  } catch (error) {
    void close()
    throw error
  }
  const ready = async (): Promise<void> => {
    await Promise.all(consumers.map((consumer) => consumer.ready()))
  }
  return { consumers, ready, close, [Symbol.asyncDispose]: close }
}

function start({ options, methodOf }: NotedHandler, instance: object): StreamConsumer {
  const { stream, ...handling } = options
  const made = typeof stream === 'function' ? stream() : stream
  if (!isStream(made)) {
    const expected = 'a function that returns a stream of createStream'
    throw new InvalidOptionError({ option: `${DECORATOR}.stream`, expected, received: made })
  }
  return (made as Stream<unknown>).handle(handling, (message, delivery) => {
    const method = methodOf(instance) as (message: unknown, delivery: Delivery) => unknown
    return method.call(instance, message, delivery)
  })
}

/** Of the instance, and of its classes: those further down come first. */
function handlersOf(instance: unknown): Noted {
  const found: Noted = new Map()
  const isObject = typeof instance === 'object' || typeof instance === 'function'
  let at: object | null = isObject ? (instance as object | null) : null
  for (; at !== null; at = Object.getPrototypeOf(at))
    for (const [name, handler] of noted.get(at) ?? [])
      if (!found.has(name)) found.set(name, handler)
  return found
}

function noteStandard(
  options: StreamHandlerOptions<unknown>,
  context: ClassMethodDecoratorContext,
): void {
  if (context.kind !== 'method') throw wrongTarget(`a ${String(context.kind)}`)
  const { name, access } = context
  // A private method of a subclass may have the same name.
  const place = context.private ? Symbol(String(name)) : name
  context.addInitializer(function (this: unknown) {
    note(this as object, place, { options, methodOf: (instance) => access.get(instance) })
  })
}

function noteLegacy(
  options: StreamHandlerOptions<unknown>,
  target: unknown,
  name: unknown,
  descriptor: unknown,
): void {
  const isMethod =
    typeof descriptor === 'object' &&
    descriptor !== null &&
    typeof (descriptor as PropertyDescriptor).value === 'function'
  if (!isMethod) throw wrongTarget('something else')
  const key = name as string | symbol
  const methodOf = (instance: object): unknown => Reflect.get(instance, key)
  note(target as object, key, { options, methodOf })
}

function note(holder: object, name: string | symbol, handler: NotedHandler): void {
  const known = noted.get(holder) ?? new Map()
  known.set(name, handler)
  noted.set(holder, known)
}

function isStandardContext(context: unknown): context is ClassMethodDecoratorContext {
  return typeof context === 'object' && context !== null && 'kind' in context
}

function wrongTarget(received: string): InvalidOptionError {
  const expected = 'a method to decorate'
  return new InvalidOptionError({
    option: DECORATOR,
    expected,
    received,
    described: received,
  })
}

function notedOfAllCopies(): WeakMap<object, Noted> {
  places[PLACE] ??= new WeakMap()
  return places[PLACE]
}
