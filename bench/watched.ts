/** What do metrics, logging and tracing cost local hits? Prints it, and writes watched.json (P21). */

import { apart } from './apart.ts'
import { printQuestion, printTargets, writeJson } from './report.ts'
import { watchedTargets } from './targets.ts'
import { watchedHit } from './watched-hit.ts'

export interface WatchedOptions {
  readonly machine: string
  readonly rounds: number
  readonly isQuick: boolean
}

const ask = apart(new URL('./watched-hit.ts', import.meta.url).href, watchedHit)

export async function watched({ machine, rounds, isQuick }: WatchedOptions): Promise<void> {
  const [readers = [], listeners = []] = await ask(isQuick ? 20_000 : 200_000, rounds)
  printQuestion({ id: '', title: 'Local hit of a decorated method, watched', timed: readers })
  printQuestion({ id: '', title: 'The same, each hit listened to', timed: listeners })
  const targets = watchedTargets(readers)
  printTargets(targets)
  if (!isQuick) writeJson('watched', { machine, rounds, readers, listeners, targets })
}
