import { InvalidOptionError } from '@larder/core'
import { assertText, tagName } from '@larder/core/store'
import type { Session } from '../connect/session.ts'
import { CommandFailure, EXIT } from '../failure.ts'
import { visible } from '../output/escape.ts'
import { counted } from '../output/units.ts'
import { confirmed } from './confirm.ts'
import { evictNames, reportEvicted } from './evict-tags.ts'
import { assertKnown, itemsOf, scanOptions } from './looked.ts'

export async function runEvictTag(session: Session): Promise<number> {
  const { words, namespace } = session
  const tags = [...new Set(words)]
  for (const tag of tags) checkTag(tag)
  await assertKnown(session)
  const names = tags.map(tagName)
  const count = await countCarriers(session, names)
  const what = `evict ${counted(tags.length, 'tag')} of ${namespace}, carried by ${count}`
  if (!(await confirmed(session, { what }))) return EXIT.done
  await evictNames(session, names)
  const words_ = `Evicted ${counted(tags.length, 'tag')}: ${tags.map(visible).join(', ')}.`
  await reportEvicted(session, { tags }, words_)
  return EXIT.done
}

/** In words, because a scan that ended early knows a lower bound only. */
async function countCarriers(session: Session, names: readonly string[]): Promise<string> {
  const progress = { lookedAt: 0, isComplete: false }
  const how = { ...scanOptions(session), wantsHeaders: true }
  let count = 0
  for await (const { head } of itemsOf(
    session.inspection.entries(session.namespace, '', how),
    progress,
  )) {
    if (head?.tags.some((tag) => names.includes(tag)) === true) count += 1
  }
  const words = counted(count, 'entry', 'entries')
  return progress.isComplete ? words : `at least ${words}`
}

function checkTag(tag: string): void {
  try {
    assertText(tag, 'TAG')
  } catch (error) {
    if (!(error instanceof InvalidOptionError)) throw error
    throw new CommandFailure('usage', error.message)
  }
}
