/**
 * Distinguishes a class that its file defined again (hot reload, `vi.resetModules()`) from another class of the same name.
 *
 * Both look alike: a class factory also makes classes with one name and one text, and those must not share entries. Only the
 * inspector knows the script of a function, so it is asked, in the one case where two classes want one name, and once per
 * pair. Scripts of different files are different classes. A file compiled twice (another query, changed text) is a
 * file evaluated twice. Where the script is the same one, because V8 still had it, the decorators' runs tell: at the top
 * level of a module, they run again only when the module does.
 */

import type { Session } from 'node:inspector'
import { type Evaluation, isTopLevelAgain, withoutQuery } from './evaluation.ts'
import { type AnyClass, nameOf } from './method-site.ts'

interface Place {
  readonly scriptId: string
  readonly file: string
}

const answers = new WeakMap<AnyClass, WeakMap<AnyClass, boolean>>()
const PROBE = Symbol.for('@larder/core/probe')

/** A class, and when and where its decorators ran, if it has any. */
export interface Defined {
  readonly owner: AnyClass
  readonly evaluation?: Evaluation | undefined
}

/** True when `young` is the class that the file of `old` defined in its place when it was evaluated again. */
export function isReevaluated(old: Defined, young: Defined): boolean {
  if (old.owner === young.owner || nameOf(old.owner) !== nameOf(young.owner)) return false
  const known = answers.get(young.owner) ?? new WeakMap<AnyClass, boolean>()
  answers.set(young.owner, known)
  const answer = known.get(old.owner) ?? compare(old, young)
  known.set(old.owner, answer)
  return answer
}

function compare(old: Defined, young: Defined): boolean {
  const [before, after] = placesOf([old.owner, young.owner])
  if (before === undefined || after === undefined || before.file !== after.file) return false
  if (before.scriptId === after.scriptId) {
    return isTopLevelAgain(old.evaluation, young.evaluation, before.file)
  }
  // Code without a file name can only be recognised by its text.
  return before.file !== '' || String(old.owner) === String(young.owner)
}

/** Returns where functions come from; undefined where no inspector can tell. */
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
