/** What a look finds, and what is looked for. */

import type { Age, LocalEntry } from '../entry/local-entry.ts'

export interface Found {
  readonly entry: LocalEntry
  readonly tier: 'local' | 'remote'
  /** A fallback is kept for when loads fail, and otherwise not served. */
  readonly age: Age
}

export interface LookOptions {
  /** Whether what is kept for when loads fail is wanted as well. */
  readonly fallback: boolean
  /** Leaves no trace: it does not count as a use of the local entry, and nothing that is found in the store is kept. */
  readonly traceless: boolean
  /** What the store has is not decoded. */
  readonly valueless?: boolean | undefined
}
