/** The conformance suite of remote stores: every method of the contract, as far as the store claims it. */

import type { RemoteStore } from '../../contracts/remote-store.ts'
import { type ConformanceCase, PASSED, skippedFor } from './conformance-case.ts'
import type { Advance } from './patience.ts'
import { MUTATIONS } from './remote/changes.ts'
import { CLAIMS, FILLS } from './remote/leases.ts'
import { MESSAGES } from './remote/messages.ts'
import { READING } from './remote/reading.ts'
import { type RemoteCase, RemoteStage } from './remote/remote-case.ts'
import { CLOSING, SCANNING } from './remote/scanning.ts'
import { SEQUENCE_CASES } from './remote/sequences.ts'
import { SWAPS } from './remote/swaps.ts'
import { TAG_CASES } from './remote/tags.ts'

/** Two nodes of one namespace that nobody else uses. */
export interface RemoteStoresUnderTest {
  /** Not opened yet; each with connections of its own. The suite opens and closes them. */
  readonly stores: readonly [RemoteStore, RemoteStore]
  /** Nobody else's; the suite also uses it with `-b` at its end. */
  readonly namespace: string
  /** Moves the server's time. Absent: it passes by itself. */
  readonly advance?: Advance | undefined
  /** Called after the stores were closed. */
  cleanup?(): void | Promise<void>
}

export type MakeRemoteStores = () => RemoteStoresUnderTest | Promise<RemoteStoresUnderTest>

const CASES: readonly RemoteCase[] = [
  ...READING,
  ...CLAIMS,
  ...FILLS,
  ...MUTATIONS,
  ...SEQUENCE_CASES,
  ...SWAPS,
  ...TAG_CASES,
  ...MESSAGES,
  ...SCANNING,
  ...CLOSING,
]

/**
 * Returns the cases a remote store must pass; those about capabilities it does not claim report themselves as skipped.
 *
 * @param makeStores is called once per case.
 * @example
 * runCases(
 *   remoteStoreCases(() => ({ stores: [myStore(), myStore()], namespace: randomUUID() })),
 *   { test },
 * )
 */
export function remoteStoreCases(makeStores: MakeRemoteStores): readonly ConformanceCase[] {
  return CASES.map((remoteCase) => ({
    name: remoteCase.name,
    async run() {
      const underTest = await makeStores()
      const { stores, namespace, advance } = underTest
      try {
        const reason = reasonToSkip(remoteCase, stores[0])
        if (reason !== undefined) return skippedFor(reason)
        const other = remoteCase.isApart === true ? `${namespace}-b` : namespace
        stores[0].open(namespace)
        stores[1].open(other)
        const nodes = [
          { store: stores[0], namespace },
          { store: stores[1], namespace: other },
        ] as const
        await remoteCase.run(new RemoteStage(nodes, advance))
        return PASSED
      } finally {
        for (const store of stores) {
          await store.bus?.close()
          await store.close()
        }
        await underTest.cleanup?.()
      }
    },
  }))
}

function reasonToSkip({ needs = [], lacks }: RemoteCase, store: RemoteStore): string | undefined {
  if (lacks !== undefined && store.capabilities[lacks]) {
    return `${store.name} claims the capability '${lacks}'`
  }
  for (const need of needs) {
    if (need === 'bus') {
      if (store.bus === undefined) return `${store.name} has no bus`
    } else if (need === 'swap') {
      if (store.swap === undefined) return `${store.name} has no method 'swap'`
    } else if (!store.capabilities[need]) {
      return `${store.name} does not claim the capability '${need}'`
    }
  }
  return undefined
}
