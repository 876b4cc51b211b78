/** The compiler's messages for the commonest mistakes say what to do. The matrix asks other compilers the same. */

import { join } from 'node:path'
import { expect, it } from 'vitest'
import { wrongMessages } from './messages/check.mjs'

const ROOT = join(import.meta.dirname, '..', '..')

it.each(['standard', 'legacy'])('with %s decorators, every message leads to its cure', (mode) => {
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc')
  const project = join(import.meta.dirname, 'messages', `tsconfig.${mode}.json`)
  expect(wrongMessages(tsc, project)).toEqual([])
})
