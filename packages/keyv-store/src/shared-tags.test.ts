import { describe, expect, it } from 'vitest'
import { SharedTags, type TagStorage } from './shared-tags.ts'

const HOUR_MS = 3_600_000

/** A backend that can be down, whose text can be seen and set. */
class Backend implements TagStorage {
  text: string | undefined
  isDown = false

  async read(): Promise<unknown> {
    this.#check()
    return this.text
  }

  async write(text: string): Promise<void> {
    this.#check()
    this.text = text
  }

  #check(): void {
    if (this.isDown) throw new Error('the backend is down')
  }
}

/** A clock that stands far behind the numbers in use. */
const behind = (): number => 10

function setUp() {
  const backend = new Backend()
  const tags = new SharedTags(backend, behind)
  const bump = (names: readonly string[], known: number) =>
    tags.bump(names, { known, retentionMs: HOUR_MS })
  return { backend, tags, bump }
}

describe('what is minted lies above whatever an entry may have been born at', () => {
  it('when bumps failed while births went on', async () => {
    const { backend, tags, bump } = setUp()
    await bump(['a'], 1_000)
    backend.isDown = true
    await expect(bump(['b'], 5_000.75)).rejects.toThrow('down')
    backend.isDown = false
    expect((await bump(['c'], 0)).version).toBeGreaterThan(5_000.75)
    expect((await tags.read()).version).toBeGreaterThan(5_000.75)
  })

  it('when the clock was lost', async () => {
    const { backend, tags, bump } = setUp()
    const { version } = await bump(['a'], 1_000)
    backend.text = undefined
    expect((await tags.read()).floor).toBeGreaterThan(version)
  })

  it('when the clock was lost by one node and begun anew by another', async () => {
    const { backend, bump } = setUp()
    const { version } = await bump(['a'], 1_000)
    backend.text = undefined
    await new SharedTags(backend, behind).read()
    expect((await bump(['b'], 0)).version).toBeGreaterThan(version)
  })

  it('when what was invalidated is invalidated again because it was overwritten', async () => {
    const { backend, tags, bump } = setUp()
    const before = backend.text
    await bump(['a'], 1_000)
    await bump(['b'], 2_000)
    backend.isDown = true
    await expect(bump(['c'], 7_000.25)).rejects.toThrow('down')
    backend.isDown = false
    backend.text =
      before ?? JSON.stringify({ version: 20, floor: 0, retentionMs: HOUR_MS, tags: [] })
    const again = await tags.read()
    expect(again.version).toBeGreaterThan(7_000.25)
    expect(again.tags.map(([tag]) => tag).sort()).toEqual(['a', 'b'])
  })
})

it('a bump whose outcome is unknown counts as made: the next one is above it', async () => {
  const { backend, bump } = setUp()
  const { version } = await bump(['a'], 1_000)
  const text = backend.text
  // It is written, and the answer is lost.
  const write = backend.write.bind(backend)
  backend.write = async (made) => {
    await write(made)
    throw new Error('the connection was lost')
  }
  await expect(bump(['b'], 0)).rejects.toThrow('lost')
  const late = JSON.parse(backend.text ?? '') as { version: number }
  expect(late.version).toBeGreaterThan(version)
  backend.write = write
  backend.text = text
  expect((await bump(['c'], 0)).version).toBeGreaterThan(late.version)
})

it('a step that is never answered holds up the others for a while only', async () => {
  const backend = new Backend()
  let nowUs = 1_000
  const tags = new SharedTags(backend, () => nowUs)
  const bump = (name: string) => tags.bump([name], { known: 0, retentionMs: HOUR_MS })
  await bump('a')
  const read = backend.read.bind(backend)
  let answer = (): void => undefined
  backend.read = () =>
    new Promise((resolve) => {
      answer = () => resolve(undefined)
    })
  const stuck = tags.read()
  await Promise.resolve()
  backend.read = read
  nowUs += 10_000_001
  const { version } = await bump('b')
  // Its answer, after all, is older than what was written meanwhile.
  answer()
  await stuck
  const { tags: kept, version: last } = await tags.read()
  expect(last).toBeGreaterThanOrEqual(version)
  expect(kept.map(([tag]) => tag).sort()).toEqual(['a', 'b'])
})
