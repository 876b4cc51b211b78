import { createHash } from 'node:crypto'
import {
  type ListedSession,
  type SessionProvider,
  type SessionRule,
  tagOfUser,
} from '@larder/core/store'
import type { Session } from '../connect/session.ts'
import { CommandFailure, EXIT } from '../failure.ts'
import type { Column } from '../output/table.ts'
import { counted, instantText, spanText } from '../output/units.ts'
import { confirmed } from './confirm.ts'

interface Row {
  /** A digest of its name: who has the name, and knows the user, has the session. */
  readonly session: string
  readonly begunAt: number | null
  readonly leftMs: number
}

interface Listed extends ListedSession {
  readonly row: Row
}

interface UserSessions {
  readonly provider: SessionProvider
  readonly rule: SessionRule
  readonly tag: string
  readonly all: readonly Listed[]
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'session', text: ({ session }) => session },
  { title: 'begun', text: ({ begunAt }) => instantText(begunAt ?? undefined) },
  { title: 'left', isRight: true, text: ({ leftMs }) => spanText(leftMs) },
]

const NAME = /^[A-Za-z0-9_.-]{1,64}$/
/** The second at which an id was made, and its secret. */
const OWN_NAME = /(?:^|~)([0-9a-z]{7})~[A-Za-z0-9_-]{22}$/
const DIGEST_LENGTH = 12
/** As long as a session may last at all: what the application says is not known here, and an end does not depend on it. */
const LONGEST_MS = 400 * 86_400_000
const LATE_MS = 3_600_000
const MOST_USER_TEXT = 1_000

export async function runSessions(session: Session): Promise<number> {
  const { options, out } = session
  const one = options.text('end')
  if (one !== undefined && options.has('end-all'))
    throw new CommandFailure('usage', '--end and --end-all exclude each other.')
  const found = await sessionsOf(session)
  if (one !== undefined) return endOne(session, found, one)
  if (options.has('end-all')) return endAll(session, found)
  if (found.all.length === 0) out.talk('This user has no sessions.')
  await out.list(COLUMNS, rowsOf(found.all))
  return EXIT.done
}

async function sessionsOf(session: Session): Promise<UserSessions> {
  const { namespace, words, options } = session
  const [user = ''] = words
  const sessions = options.text('name') ?? 'web'
  if (!NAME.test(sessions))
    throw new CommandFailure('usage', '--name takes 1 to 64 letters, digits, "_", "." or "-".')
  if (user.length === 0 || user.length > MOST_USER_TEXT || !user.isWellFormed())
    throw new CommandFailure('usage', `USER is a text of 1 to ${MOST_USER_TEXT} characters.`)
  const inspection = await session.inspectionOf('sessions')
  const provider = inspection.sessions(namespace)
  const rule = { sessions, absoluteMs: LONGEST_MS, touchEveryMs: 0, maxPerUser: 1, lateMs: LATE_MS }
  const tag = tagOfUser(namespace, sessions, user)
  const [seconds] = (await inspection.client.time()) as readonly (number | string)[]
  const now = Number(seconds) * 1_000
  const all = (await provider.list(rule, tag)).map(({ name, endsAt }) => ({
    name,
    endsAt,
    row: {
      session: digestOf(name),
      begunAt: madeAt(name) || null,
      leftMs: Math.max(0, endsAt - now),
    },
  }))
  return { provider, rule, tag, all }
}

async function endOne(session: Session, found: UserSessions, asked: string): Promise<number> {
  const listed = found.all.find(({ row }) => row.session === asked)
  if (listed === undefined)
    throw new CommandFailure(
      'notFound',
      'This user has no such session.',
      'larder sessions USER lists them.',
    )
  if (!(await confirmed(session, { what: `end a session of ${session.words[0]}` })))
    return EXIT.done
  return report(session, (await end(found, [listed])) > 0 ? 1 : 0)
}

async function endAll(session: Session, found: UserSessions): Promise<number> {
  const { provider, rule, tag, all } = found
  const what = `end ${counted(all.length, 'session')} of ${session.words[0]}`
  if (!(await confirmed(session, { what }))) return EXIT.done
  // First the step that ends all at once, also what began meanwhile; then what is left of them.
  const ended = await provider.endAll(rule, tag, undefined)
  await end(found, all)
  return report(session, ended.length)
}

async function end({ provider, rule, tag }: UserSessions, all: readonly Listed[]): Promise<number> {
  let count = 0
  for (const { name } of all) {
    const { kind } = await provider.end(rule, { tag, name, madeAt: madeAt(name) }, false)
    if (kind === 'live') count += 1
  }
  return count
}

async function report({ out, namespace }: Session, ended: number): Promise<number> {
  await out.one({ namespace, ended }, () => [`Ended ${counted(ended, 'session')}.`])
  return EXIT.done
}

/** When its id was made; 0 where it does not say. */
function madeAt(name: string): number {
  const [, when] = OWN_NAME.exec(name) ?? []
  return when === undefined ? 0 : Number.parseInt(when, 36) * 1_000
}

function digestOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, DIGEST_LENGTH)
}

async function* rowsOf(all: readonly Listed[]): AsyncGenerator<Row, void, undefined> {
  for (const { row } of all) yield row
}
