import { describe, expect, it } from 'vitest'
import { type AptMachine, type AptOutcome, installRedisWithApt } from './install-redis.ts'

interface Machine extends AptMachine {
  /** What was run or said, in order. */
  readonly done: string[]
}

const INSTALL =
  'apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends --no-upgrade redis-server'

/** A fresh Debian as root; `answers` says which commands print what, `fails` which of them fail. */
function machine({
  answers = {},
  fails = ['dpkg-query', 'systemctl is-active', 'systemctl cat', 'service redis-server status'],
  ...rest
}: Partial<AptMachine> & {
  readonly answers?: Readonly<Record<string, string>>
  readonly fails?: readonly string[]
} = {}): Machine {
  const done: string[] = []
  return {
    env: {},
    isDebian: true,
    isRoot: true,
    hasSystemd: true,
    say: (line) => void done.push(`says: ${line}`),
    run: async (command, ...args) => {
      const line = [command, ...args].join(' ')
      done.push(line)
      if (fails.some((start) => line.startsWith(start))) throw new Error(`${line}: failed`)
      return answers[command] ?? ''
    },
    ...rest,
    done,
  }
}

/** The commands that change the machine. */
const changes = ({ done }: Machine): readonly string[] =>
  done.filter((line) => !/^says|^dpkg-query|is-active|systemctl cat|status$/.test(line))

describe('the installation of a system package', () => {
  it('says in one line what it installs and why, and what forbids it, before it begins', async () => {
    const debian = machine()
    expect(await installRedisWithApt(debian)).toEqual({ kind: 'installed' })
    const said = debian.done.findIndex((line) => line.startsWith('says: '))
    expect(debian.done[said]).toMatch(/tests start .* redis-server with apt-get .*LARDER_INSTALL=0/)
    expect(debian.done[said]).not.toContain('\n')
    expect(said).toBeLessThan(debian.done.indexOf(INSTALL))
    expect(debian.done.filter((line) => line.startsWith('says: '))).toHaveLength(1)
  })

  it.each(['0', 'false', 'no', 'never'])(
    'does not happen where LARDER_INSTALL is %s',
    async (said) => {
      const debian = machine({ env: { LARDER_INSTALL: said } })
      const why = `forbidden by LARDER_INSTALL=${said}`
      expect(await installRedisWithApt(debian)).toEqual({ kind: 'unfit', why })
      expect(debian.done).toEqual([])
    },
  )

  it.each(['', '1', 'true', 'yes', 'YES'])('happens where LARDER_INSTALL is "%s"', async (said) => {
    const outcome = await installRedisWithApt(machine({ env: { LARDER_INSTALL: said } }))
    expect(outcome.kind).toBe('installed')
  })

  it.each<[string, Partial<AptMachine>]>([
    ['not Debian or Ubuntu', { isDebian: false }],
    ['not root', { isRoot: false }],
  ])('neither happens nor is announced on a machine that is %s', async (why, of) => {
    const other = machine(of)
    expect(await installRedisWithApt(other)).toEqual<AptOutcome>({ kind: 'unfit', why })
    expect(other.done).toEqual([])
  })

  it('leaves a package alone that is there, as apt-get would restart its server', async () => {
    const debian = machine({ answers: { 'dpkg-query': 'installed' }, fails: [] })
    const why = 'installed already, but not on PATH'
    expect(await installRedisWithApt(debian)).toEqual({ kind: 'unfit', why })
    expect(changes(debian)).toEqual([])
  })

  it('takes the lists of packages only when there are none, and shows why it failed', async () => {
    const debian = machine({ fails: ['apt-get'] })
    const outcome = await installRedisWithApt(debian)
    expect(changes(debian)).toEqual([INSTALL, 'apt-get -o DPkg::Lock::Timeout=120 update'])
    expect(outcome).toMatchObject({ kind: 'failed', output: expect.stringContaining('update') })
  })
})

describe('a service of the same name', () => {
  const IS_ACTIVE = 'systemctl is-active'
  const IS_KNOWN = 'systemctl cat'

  it.each<[string, readonly string[], readonly string[]]>([
    [
      'that was not there is stopped and disabled',
      [IS_ACTIVE, IS_KNOWN],
      ['systemctl disable --now redis-server'],
    ],
    [
      'that stood still is stopped again, and stays as it was set up',
      [IS_ACTIVE],
      ['systemctl stop redis-server'],
    ],
    ['that ran is left alone', [], []],
  ])('%s', async (_, fails, after) => {
    const debian = machine({ fails })
    await installRedisWithApt(debian)
    expect(changes(debian)).toEqual([INSTALL, ...after])
  })

  it.each<[string, readonly string[], readonly string[]]>([
    ['that did not run is stopped', ['service redis-server status'], ['service redis-server stop']],
    ['that ran is left alone', [], []],
  ])('%s, without systemd', async (_, fails, after) => {
    const debian = machine({ hasSystemd: false, fails })
    await installRedisWithApt(debian)
    expect(changes(debian)).toEqual([INSTALL, ...after])
  })
})
