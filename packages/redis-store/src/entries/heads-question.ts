/** What a sync asks the servers about the heads of partitions, and how their answers are read. */

import type { Command } from '../commands/send-together.ts'
import type { Outcome } from './ask-servers.ts'

export interface HeadsRequest {
  readonly namespace: string
  readonly partitions: readonly number[]
}

export interface HeadsAnswer {
  /** In the order of the partitions; `undefined` where a head is unknown. */
  readonly heads: readonly (number | undefined)[]
  /** Changes wait to be announced together: by when they should have been heard of, ms by the server's clock. */
  readonly announcedByMs?: number | undefined
}

export interface HeadsQuestion {
  readonly commands: readonly Command[]
  /** Takes the answers to the commands, in order. */
  read(outcomes: readonly (Outcome | undefined)[]): Promise<HeadsAnswer>
}
