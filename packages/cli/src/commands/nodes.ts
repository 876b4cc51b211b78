import type { FleetNode } from '@larder/core'
import type { SeenFleet } from '@larder/redis-store/inspect'
import type { Session } from '../connect/session.ts'
import { EXIT } from '../failure.ts'
import type { Column } from '../output/table.ts'
import { counted, countOf, spanText } from '../output/units.ts'
import { assertKnown } from './looked.ts'
import { countersOf, ratioText } from './reported.ts'

const COLUMNS: readonly Column<FleetNode>[] = [
  { title: 'node', text: ({ id }) => id },
  { title: 'name', text: ({ name }) => name ?? '-' },
  { title: 'host', text: ({ host }) => host ?? '-' },
  { title: 'pid', isRight: true, text: ({ pid }) => (pid === null ? '-' : String(pid)) },
  { title: 'state', text: ({ state, status }) => (state === 'late' ? 'late' : status.health) },
  { title: 'seen', isRight: true, text: ({ ageMs }) => `${spanText(ageMs)} ago` },
  { title: 'up for', isRight: true, text: ({ uptimeMs, ageMs }) => spanText(uptimeMs + ageMs) },
  { title: 'hits', isRight: true, text: ({ stats }) => ratioText(stats) },
  { title: 'entries', isRight: true, text: ({ stats }) => countOf(stats.localEntries) },
  { title: 'larder', text: ({ versions }) => versions.larder },
  { title: 'problems', text: ({ status }) => status.problems.join(', ') },
]

export async function runNodes(session: Session): Promise<number> {
  const { inspection, namespace, out } = session
  await assertKnown(session)
  const fleet = await inspection.fleet(namespace)
  const { listening, reported } = fleet
  const nodes = reported?.nodes ?? []
  if (out.isJson) {
    const data = { nodes: reported === undefined ? null : nodes.map(dataOf) }
    const unreadable = reported?.unreadable ?? 0
    await out.one({ namespace, listening: listening ?? null, ...data, unreadable }, () => [])
    return EXIT.done
  }
  await out.list(COLUMNS, each(nodes))
  for (const line of nodes.length === 0 ? nobody(fleet) : []) await out.line(line)
  if (nodes.length > 0) out.talk(besides(fleet))
  return EXIT.done
}

/** Without the counters by cache: `stats` has their sum. */
function dataOf({ stats, ...node }: FleetNode): object {
  const { byCache: _, ...total } = stats
  return { ...node, stats: countersOf(total) }
}

function nobody({ listening, reported }: SeenFleet): readonly string[] {
  const why =
    reported === undefined
      ? 'this user has no right to read what they report'
      : 'none reports itself. The option "fleet" of createCacheManager makes it'
  return [
    listening === undefined
      ? 'How many nodes listen is unknown: the server does not say.'
      : `${counted(listening, 'node')} ${listening === 1 ? 'listens' : 'listen'}.`,
    `Who they are is unknown: ${why}.`,
  ]
}

function besides({ listening, reported }: SeenFleet): string {
  const late = reported?.nodes.filter(({ state }) => state === 'late').length ?? 0
  const unreadable = reported?.unreadable ?? 0
  return [
    `${counted(reported?.nodes.length ?? 0, 'node')} reported${late > 0 ? `, ${countOf(late)} of them late` : ''};`,
    listening === undefined ? 'how many listen is unknown.' : `${countOf(listening)} listen.`,
    ...(unreadable > 0 ? [`Reports of ${countOf(unreadable)} more are of another version.`] : []),
  ].join(' ')
}

async function* each(nodes: readonly FleetNode[]): AsyncGenerator<FleetNode, void, undefined> {
  yield* nodes
}
