/** The Redis that all tests of a run share. */

import { inject } from 'vitest'
// Tells vitest's types what it provides.
import type {} from '../../support/global-setup.ts'

export function redisUrl(): string {
  return inject('redisUrl')
}
