import { counted } from '../output/units.ts'
import { type Check, ok, unknown } from './check.ts'
import type { Examined } from './examined.ts'

export async function checkNodes({ inspection, namespace }: Examined): Promise<Check> {
  const { listening } = await inspection.fleet(namespace)
  if (listening === undefined) return unknown('nodes', 'The server does not say who listens.')
  return ok('nodes', `${counted(listening, 'node')} ${listening === 1 ? 'listens' : 'listen'}`)
}
