/** What a sync asks the servers about the heads of partitions, and how their answers are read. */

import type { Command } from '../commands/send-together.ts'
import type { Outcome } from './ask-servers.ts'

export interface HeadsRequest {
  readonly namespace: string
  readonly partitions: readonly number[]
}

export interface HeadsQuestion {
  readonly commands: readonly Command[]
  /** The heads of the partitions, in order, from the answers to the commands, in order. */
  read(outcomes: readonly (Outcome | undefined)[]): Promise<readonly (number | undefined)[]>
}
