import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { withoutOuterCall } from '../../tools/environment.mjs'

const ROOT = join(import.meta.dirname, '..', '..')

it('forgets what an outer npx was called with, and keeps what describes the machine', () => {
  const machine = { PATH: '/bin', npm_config_cache: '/cache', npm_config_registry: 'https://r' }
  const call = { npm_config_call: 'npm test', npm_config_package: 'node@24', NPM_CONFIG_CALL: 'x' }
  expect(withoutOuterCall({ ...machine, ...call })).toEqual(machine)
})

it("runs pnpm from within `npx -p … -c '…'`", () => {
  const script = `import { pnpm } from './tools/execute.mjs'; await pnpm(['--version'])`
  const version = execFileSync(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, npm_config_call: 'exit 3', npm_config_package: 'node@24' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  expect(version.trim()).toMatch(/^\d+\.\d+\.\d+$/)
})
