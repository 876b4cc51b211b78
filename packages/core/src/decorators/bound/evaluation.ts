/** When and where the decorators of a class ran: at the top level of a module, or in a function that may run often. */

import { shared } from '../../lifecycle/shared-state.ts'

/** One run of a decorator. */
export interface Evaluation {
  /** Decorators that ran without anything asynchronous between them have the same turn. */
  readonly turn: number
  /** Holds a stack trace, which V8 formats only when it is read. */
  readonly trace: { stack?: unknown }
}

const FRAMES = 20

/** Notes a decorator's run. `below`: the function whose callers matter. */
export function evaluationNow(below: (...args: never) => unknown): Evaluation {
  const { turns } = shared
  if (!turns.isOpen) {
    turns.isOpen = true
    turns.count += 1
    queueMicrotask(() => {
      turns.isOpen = false
    })
  }
  const trace: { stack?: unknown } = {}
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = FRAMES
  Error.captureStackTrace(trace, below)
  Error.stackTraceLimit = stackTraceLimit
  return { turn: turns.count, trace }
}

/**
 * True when both ran at the top level of `file`, in two evaluations of it: they have the same frames, the outermost frame is not
 * in a function of the user's but is called by a module loader, and they do not follow directly on each other as in a loop.
 */
export function isTopLevelAgain(
  one: Evaluation | undefined,
  other: Evaluation | undefined,
  file: string,
): boolean {
  if (one === undefined || other === undefined || one.turn === other.turn) return false
  const [frames, otherFrames] = [framesWithin(one, file), framesWithin(other, file)]
  return frames !== undefined && frames === otherFrames
}

type Frame = Pick<
  NodeJS.CallSite,
  'getFunctionName' | 'getFileName' | 'getLineNumber' | 'getColumnNumber'
> & {
  /** Where the function of the frame begins; V8 only. */
  getEnclosingLineNumber?(): number | null
}

/** Returns the frames of a file below its loader's call, as text; undefined when the call came from elsewhere. */
function framesWithin(evaluation: Evaluation, file: string): string | undefined {
  const frames = framesOf(evaluation)
  const first = frames.findIndex((frame) => isOf(frame, file))
  if (first === -1) return undefined
  const rest = frames.slice(first)
  const end = rest.findIndex((frame) => !isOf(frame, file) && !isNative(frame))
  const within = end === -1 ? rest : rest.slice(0, end)
  const outermost = within.findLast((frame) => isOf(frame, file))
  const caller = end === -1 ? undefined : rest[end]
  if (outermost === undefined || isInFunction(outermost) || !isLoader(caller)) return undefined
  return within.map((frame) => `${frame.getLineNumber()}:${frame.getColumnNumber()}`).join(' ')
}

function framesOf({ trace }: Evaluation): readonly Frame[] {
  const { prepareStackTrace } = Error
  // Read once: V8 keeps what this returns.
  Error.prepareStackTrace = (_error, sites) => sites
  try {
    return Array.isArray(trace.stack) ? (trace.stack as readonly Frame[]) : []
  } finally {
    if (prepareStackTrace === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace')
    else Error.prepareStackTrace = prepareStackTrace
  }
}

function isOf(frame: Frame, file: string): boolean {
  const name = frame.getFileName()
  if (typeof name !== 'string') return false
  return withoutQuery(name) === file || `file://${withoutQuery(name)}` === file
}

function isNative(frame: Frame): boolean {
  return typeof frame.getFileName() !== 'string'
}

const IDENTIFIER = /^(?:[\w$]+\.)*[\w$]+$/

/** A module, or its wrapper, begins where its file does, and has no name or one that a function cannot have. */
function isInFunction(frame: Frame): boolean {
  if ((frame.getEnclosingLineNumber?.() ?? 1) > 1) return true
  const name = frame.getFunctionName()
  return typeof name === 'string' && name !== 'eval' && IDENTIFIER.test(name)
}

function isLoader(frame: Frame | undefined): boolean {
  const name = frame?.getFileName()
  return typeof name !== 'string' || name.startsWith('node:') || name.includes('/node_modules/')
}

/** Loaders request a module again with another query. */
export function withoutQuery(file: string): string {
  return file.replace(/[?#].*$/, '')
}
