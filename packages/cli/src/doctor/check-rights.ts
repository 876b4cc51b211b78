import { missingRights } from '@larder/redis-store/inspect'
import { type Check, fail, ok } from './check.ts'
import type { Examined } from './examined.ts'

export async function checkRights({ inspection, namespace }: Examined): Promise<Check> {
  const { commands, keys, channels } = await missingRights(inspection.client, namespace, [
    'cache',
    'locks',
    'limits',
  ])
  const missing = [
    ...(commands.length > 0 ? [`the commands ${commands.join(' ')}`] : []),
    ...(keys ? [`keys that begin with {${namespace}:`] : []),
    ...(channels ? [`channels that begin with ${namespace}:`] : []),
  ]
  const user = await userOf(inspection)
  if (missing.length === 0)
    return ok('rights', `${user} may do all that caches, locks and limits do`)
  const acl = [
    ...(keys ? [`~{${namespace}:*`] : []),
    ...(channels ? [`&${namespace}:*`] : []),
    ...commands.map((command) => `+${command}`),
  ]
  return fail('rights', {
    found: `${user} has no right to ${missing.join(', and to ')}`,
    why: 'Calls that need it fail, and nothing is shared.',
    fix: `ACL SETUSER NAME ${acl.join(' ')}`,
  })
}

async function userOf(inspection: Examined['inspection']): Promise<string> {
  const [server] = inspection.servers()
  const name = await server?.text('ACL', 'WHOAMI').catch(() => undefined)
  return name === undefined ? 'the user' : `the user ${name}`
}
