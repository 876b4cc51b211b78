/**
 * Announces the changes that a script of this node left waiting, because messages already take enough of the server's time
 * (lua/includes/announce.lua). The script says when it is time. A node that changes something after that sends them along, and
 * then there is nothing left to do.
 */

import { type CancelTimer, startTimer } from '@larder/core/store'
import type { Backend } from '../backend.ts'
import type { Announcement } from '../entries/change-answers.ts'
import { headsKey, owedKey } from '../key-layout.ts'

/** What an announcement that is due takes until it has been heard, ms. */
const UNDER_WAY_MS = 50

export interface AnnouncerParts {
  readonly backend: Backend
  /** @throws Error before the store is open */
  readonly namespace: () => string
  readonly channel: () => string
}

export class Announcer {
  readonly #parts: AnnouncerParts
  #cancel: CancelTimer | undefined

  constructor(parts: AnnouncerParts) {
    this.#parts = parts
  }

  /** Takes in what a script says; returns when others will have heard of its changes, for its reply. */
  note({ waitsMs, isOwed }: Announcement): { readonly announcedWithinMs?: number } {
    if (waitsMs === 0) return {}
    if (isOwed) this.#cancel ??= startTimer(waitsMs, () => void this.#announce(), 'caller')
    return { announcedWithinMs: waitsMs + UNDER_WAY_MS }
  }

  /** Announces at once what is owed. Never rejects: syncs tell of what nobody announces. */
  async close(): Promise<void> {
    if (this.#cancel !== undefined) await this.#announce()
  }

  async #announce(): Promise<void> {
    this.#cancel?.()
    this.#cancel = undefined
    const { backend, namespace, channel } = this.#parts
    if (backend.client === undefined) return
    const keys = [headsKey(namespace()), owedKey(namespace())]
    await backend.scripts
      .run({ script: 'announce', keys, args: [channel()] })
      .catch(() => undefined)
  }
}
