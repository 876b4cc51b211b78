import { type Check, fail, ok } from './check.ts'
import type { Examined } from './examined.ts'
import { listOfNumbers } from './numbers.ts'

/** What the scripts use besides commands. The key is declared, as they declare theirs. */
const PROBE = `return { cmsgpack and 1 or 0, struct and 1 or 0, bit and 1 or 0, redis.call('EXISTS', KEYS[1]) }`
const LIBRARIES = ['cmsgpack', 'struct', 'bit']

export async function checkScripts({ inspection, namespace }: Examined): Promise<Check> {
  const key = `{${namespace}:doctor}`
  try {
    const reply = await inspection.client.evalBuffer(PROBE, 1, [key])
    const there = listOfNumbers(reply)
    const missing = LIBRARIES.filter((_, i) => there[i] !== 1)
    if (missing.length === 0) return ok('scripts', 'Lua runs, with all that the scripts use')
    return fail('scripts', {
      found: `Lua runs, without ${missing.join(', ')}`,
      why: 'Every change is a script, and they use these libraries.',
      fix: 'Use a server with the Lua of Redis.',
    })
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error)
    if (!/^[A-Z]{2,}/.test(words)) throw error
    return fail('scripts', {
      found: `The server refuses EVAL: ${words}`,
      why: 'Every change is a script, so that it is done in one step.',
      fix: 'Allow Lua, and EVAL and EVALSHA to the user. Some hosted servers refuse them in Clusters.',
    })
  }
}
