import type { NodeReport } from '@larder/redis-store/inspect'
import type { Session } from '../connect/session.ts'
import { EXIT } from '../failure.ts'
import type { Column } from '../output/table.ts'
import { counted, instantText } from '../output/units.ts'
import { assertKnown } from './looked.ts'

const COLUMNS: readonly Column<NodeReport>[] = [
  { title: 'node', text: ({ id }) => id },
  { title: 'host', text: ({ host }) => host ?? 'unknown' },
  { title: 'pid', isRight: true, text: ({ pid }) => (pid === undefined ? 'unknown' : String(pid)) },
  { title: 'up since', text: ({ upSinceMs }) => instantText(upSinceMs) },
]

export async function runNodes(session: Session): Promise<number> {
  const { inspection, namespace, out } = session
  await assertKnown(session)
  const { listening, nodes } = await inspection.fleet(namespace)
  if (nodes !== undefined) {
    await out.list(COLUMNS, each(nodes))
    return EXIT.done
  }
  await out.one({ namespace, listening: listening ?? null, nodes: null }, () => [
    listening === undefined
      ? 'How many nodes listen is unknown: the server does not say.'
      : `${counted(listening, 'node')} ${listening === 1 ? 'listens' : 'listen'}.`,
    'Who they are is unknown: nodes do not report themselves to Redis.',
  ])
  return EXIT.done
}

async function* each(nodes: readonly NodeReport[]): AsyncGenerator<NodeReport, void, undefined> {
  yield* nodes
}
