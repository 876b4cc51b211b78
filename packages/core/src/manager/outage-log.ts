/** Puts outages into words: one line when one begins, one when it ends. */

import { reasonOf } from '../errors/reason-of.ts'
import type { Emitter } from '../events/emitter.ts'
import type { CacheEvents, OutageKind } from '../events/events.ts'
import type { Logger } from '../options/logger.ts'

type Outage = CacheEvents['outage']

const MS_PER_S = 1_000

/** What is wrong, and what that means for the application. */
const BEGINNINGS: Readonly<Record<OutageKind, (outage: Outage) => string>> = {
  setup: ({ message }) =>
    `the remote store cannot be used as it is set up: ${message} Nothing is shared; locks and limits that need it fail.`,
  unreachable: ({ message, wasNeverUp }) =>
    `the remote store ${wasNeverUp ? 'was never reached' : 'cannot be reached'}: ${dotted(message)} Reads go on without it, evictions wait for it; locks and limits that need it fail.`,
  refusing: ({ message }) =>
    `the remote store refuses what it is asked: ${dotted(message)} Evictions wait; until they are through, other nodes may serve what was evicted.`,
  deaf: ({ message }) =>
    `messages of the remote store are not heard: ${dotted(message)} What other nodes change is noticed within maxStaleness.`,
  limits: ({ message }) => `${dotted(message)} Limits do as their onStoreError says.`,
}

const ENDINGS: Readonly<Record<OutageKind, string>> = {
  setup: 'the remote store can be used',
  unreachable: 'the remote store is back',
  refusing: 'the remote store refuses nothing any more',
  deaf: 'messages of the remote store are heard again',
  limits: 'the limit store is back',
}

/** Logs the outages of a namespace from now on. */
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

function secondsOf({ durationMs }: Outage): string {
  return `${(durationMs / MS_PER_S).toFixed(1)} s`
}

function dotted(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`
}
