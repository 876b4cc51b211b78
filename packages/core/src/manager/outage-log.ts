/** Puts outages into words: one line when one begins, one when it ends. */

import { reasonOf } from '../errors/reason-of.ts'
import type { CacheEvents, Emitter, OutageKind } from '../events/events.ts'
import type { Logger } from '../options/logger.ts'

type Outage = CacheEvents['outage']

const MS_PER_S = 1_000

/** What is wrong, and what that means for the application. */
const BEGINNINGS: Readonly<Record<OutageKind, (outage: Outage) => string>> = {
  setup: ({ reason }) =>
    `the remote store cannot be used as it is set up: ${reason} Nothing is shared; locks and limits that need it fail.`,
  unreachable: ({ reason, wasNeverUp }) =>
    `the remote store ${wasNeverUp ? 'was never reached' : 'cannot be reached'}: ${dotted(reason)} Reads go on without it, evictions wait for it; locks and limits that need it fail.`,
  refusing: ({ reason }) =>
    `the remote store refuses what it is asked: ${dotted(reason)} Evictions wait; until they are through, other nodes may serve what was evicted.`,
  deaf: ({ reason }) =>
    `messages of the remote store are not heard: ${dotted(reason)} What other nodes change is noticed within maxStaleness.`,
  limits: ({ reason }) => `${dotted(reason)} Limits do as their onStoreError says.`,
}

const ENDINGS: Readonly<Record<OutageKind, string>> = {
  setup: 'the remote store can be used',
  unreachable: 'the remote store is back',
  refusing: 'the remote store refuses nothing any more',
  deaf: 'messages of the remote store are heard again',
  limits: 'the limit store is back',
}

/** Says outages of a namespace from now on. */
export function logOutages(events: Emitter, namespace: string, logger: Logger): void {
  events.on('trouble', ({ error }) => logger.error(`Larder (${namespace}): ${reasonOf(error)}`))
  events.on('outage', (outage) => {
    const who = `Larder (${namespace}): `
    if (outage.state !== 'ended') {
      const still = outage.state === 'lasts' ? `for ${secondsOf(outage)} by now, ` : ''
      logger.warn(who + still + BEGINNINGS[outage.kind](outage))
      return
    }
    const { failedCalls, skippedCalls } = outage
    const cost = `${failedCalls} calls had failed, ${skippedCalls} were not tried`
    logger.info(`${who}${ENDINGS[outage.kind]} after ${secondsOf(outage)}; ${cost}.`)
  })
}

function secondsOf({ forMs }: Outage): string {
  return `${(forMs / MS_PER_S).toFixed(1)} s`
}

function dotted(reason: string): string {
  return /[.!?…]$/.test(reason) ? reason : `${reason}.`
}
