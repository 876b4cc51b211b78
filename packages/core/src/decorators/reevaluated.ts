/**
 * Tells a class that its file defined once more (hot reload, `vi.resetModules()`) from another class of the same name.
 *
 * Both look alike: a class factory makes classes of one name and one text, too, and those must not share entries. What
 * differs is the script. A module that is evaluated again is compiled again, as a script of its own under the same file
 * name; the classes of a factory are of one script. Only the inspector tells the script of a function, so it is asked, in
 * the one case where two classes claim one name, and once for each pair.
 */

import type { Session } from 'node:inspector'
import { type AnyClass, nameOf } from './method-site.ts'

interface Place {
  readonly scriptId: string
  readonly file: string
}

const answers = new WeakMap<AnyClass, WeakMap<AnyClass, boolean>>()
const PROBE = Symbol.for('@larder/core/probe')

/** True when `young` is what the file that defined `old` defined in its place when it was evaluated again. */
export function isReevaluated(old: AnyClass, young: AnyClass): boolean {
  if (old === young || nameOf(old) !== nameOf(young)) return false
  const known = answers.get(young) ?? new WeakMap<AnyClass, boolean>()
  answers.set(young, known)
  const answer = known.get(old) ?? compare(old, young)
  known.set(old, answer)
  return answer
}

function compare(old: AnyClass, young: AnyClass): boolean {
  const [before, after] = placesOf([old, young])
  if (before === undefined || after === undefined) return false
  if (before.scriptId === after.scriptId) return false
  // Code without a file name can only be known by its text.
  if (before.file === '') return after.file === '' && String(old) === String(young)
  return before.file === after.file
}

/** Returns where functions come from; nothing where no inspector can tell. */
function placesOf(functions: readonly AnyClass[]): readonly (Place | undefined)[] {
  let session: Session | undefined
  try {
    // Not imported: a Node.js built without it refuses the import.
    const inspector = process.getBuiltinModule('node:inspector')
    session = new inspector.Session()
    session.connect()
    return locate(session, functions)
  } catch {
    return []
  } finally {
    session?.disconnect()
  }
}

function locate(session: Session, functions: readonly AnyClass[]): readonly (Place | undefined)[] {
  const files = new Map<string, string>()
  session.on('Debugger.scriptParsed', ({ params }) => files.set(params.scriptId, params.url))
  post(session, 'Debugger.enable', {})
  const probes = globalThis as { [PROBE]?: unknown }
  probes[PROBE] = functions
  try {
    const places: (Place | undefined)[] = []
    for (let i = 0; i < functions.length; i++) {
      const expression = `globalThis[Symbol.for('@larder/core/probe')][${i}]`
      const { result } = post(session, 'Runtime.evaluate', { expression }) as Evaluated
      const { objectId } = result
      const found = post(session, 'Runtime.getProperties', { objectId }) as Properties
      const location = found.internalProperties?.find(({ name }) => name === '[[FunctionLocation]]')
      const scriptId = (location?.value?.value as { scriptId?: string } | undefined)?.scriptId
      const file = scriptId === undefined ? undefined : files.get(scriptId)
      places.push(
        file === undefined || scriptId === undefined
          ? undefined
          : { scriptId, file: withoutQuery(file) },
      )
    }
    return places
  } finally {
    delete probes[PROBE]
  }
}

interface Evaluated {
  readonly result: { readonly objectId?: string }
}

interface Properties {
  readonly internalProperties?: readonly {
    readonly name: string
    readonly value?: { readonly value?: unknown }
  }[]
}

/** A session in the same thread answers before it returns. */
function post(session: Session, method: string, params: object): unknown {
  let answer: unknown
  let failure: Error | null = null
  session.post(method, params, (error: Error | null, result?: object) => {
    failure = error
    answer = result
  })
  if (failure !== null) throw failure
  return answer
}

/** Loaders ask for a module again under another query. */
function withoutQuery(file: string): string {
  return file.replace(/[?#].*$/, '')
}
