import { describe, expect, it } from 'vitest'
import { testSeed, withSeed } from '../seed.ts'
import { commandParts, FrameScanner, parseFrame } from './resp-frames.ts'

const frames = {
  'a simple string': '+OK\r\n',
  'an error': '-ERR no\r\n',
  'an integer': ':42\r\n',
  'a bulk string': '$5\r\na\r\nbc\r\n',
  'an empty bulk string': '$0\r\n\r\n',
  'a null bulk string': '$-1\r\n',
  'an array': '*2\r\n$1\r\na\r\n:1\r\n',
  'an empty array': '*0\r\n',
  'a null array': '*-1\r\n',
  'nested arrays': '*2\r\n*2\r\n:1\r\n*0\r\n*1\r\n$1\r\nx\r\n',
  'a map': '%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n',
  'a set': '~2\r\n:1\r\n:2\r\n',
  'a push': '>3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\np\r\n',
  'an attribute before its reply': '|1\r\n+ttl\r\n:3600\r\n*1\r\n:7\r\n',
  'RESP3 scalars': '*4\r\n_\r\n#t\r\n,1.5\r\n(123456789012345678901234567890\r\n',
  'a verbatim string': '=7\r\ntxt:a\r\n\r\n',
  'a bulk error': '!5\r\nERR a\r\n',
  'an inline command': 'PING\r\n',
}
const stream = Buffer.from(Object.values(frames).join(''), 'latin1')

describe('cutting a stream into frames', () => {
  it.each(Object.entries(frames))('finds the end of %s', (_name, frame) => {
    const scanner = new FrameScanner()
    const [first, second] = scanner.push(Buffer.from(`${frame}+next\r\n`, 'latin1'))
    expect(first?.toString('latin1')).toBe(frame)
    expect(second?.toString('latin1')).toBe('+next\r\n')
  })

  it('does not depend on where chunks end', () => {
    for (let size = 1; size < 40; size++) {
      expect(scanned(stream, () => size)).toEqual(Object.values(frames))
    }
  })

  const seed = testSeed()
  it(`passes binary bulk strings on unchanged in chunks of any size (SEED=${seed})`, () =>
    withSeed((random) => {
      for (let round = 0; round < 50; round++) {
        const values = Array.from({ length: 1 + random.int(8) }, () =>
          random.bytes(random.int(300)),
        )
        const parts = values.flatMap((value) => [
          Buffer.from(`$${value.length}\r\n`),
          value,
          Buffer.from('\r\n'),
        ])
        const reply = Buffer.concat([Buffer.from(`*${values.length}\r\n`), ...parts])
        const found = scanned(Buffer.concat([reply, reply]), () => 1 + random.int(64))
        expect(found).toEqual([reply.toString('latin1'), reply.toString('latin1')])
        expect(parseFrame(reply)).toEqual(values)
      }
    }, seed))

  it('takes a value of many megabytes without joining it over and over', () => {
    const value = Buffer.alloc(32 * 2 ** 20, 7)
    const bytes = Buffer.concat([Buffer.from(`$${value.length}\r\n`), value, Buffer.from('\r\n')])
    const scanner = new FrameScanner()
    const startedAt = performance.now()
    let found: Buffer[] = []
    for (let at = 0; at < bytes.length; at += 4096)
      found = scanner.push(bytes.subarray(at, at + 4096))
    expect(found[0]?.equals(bytes)).toBe(true)
    // Joined at each of the 8192 chunks it would copy 128 GB.
    expect(performance.now() - startedAt).toBeLessThan(5000)
  })

  it.each(['*x\r\n', '$-2\r\n', '$1.5\r\n', '*\r\n', 'x'.repeat(70_000)])(
    'refuses what is not the protocol',
    (bytes) => {
      expect(() => new FrameScanner().push(Buffer.from(bytes))).toThrow('Not RESP')
    },
  )
})

describe('reading a frame', () => {
  it('gives texts, numbers, nulls, errors and nesting', () => {
    expect(
      parseFrame(Buffer.from('*6\r\n+OK\r\n:-3\r\n$-1\r\n-ERR x\r\n*1\r\n$1\r\na\r\n*-1\r\n')),
    ).toEqual([Buffer.from('OK'), -3, null, { error: 'ERR x' }, [Buffer.from('a')], null])
  })

  it('reads commands in both spellings', () => {
    expect(commandParts(Buffer.from('*2\r\n$3\r\nGET\r\n$1\r\nk\r\n')).map(String)).toEqual([
      'GET',
      'k',
    ])
    expect(commandParts(Buffer.from('GET  k\r\n')).map(String)).toEqual(['GET', 'k'])
  })

  it.each(['*2\r\n:1\r\n', ':1\r\n:2\r\n', '$5\r\nab'])(
    'refuses what is not one frame: %j',
    (bytes) => {
      expect(() => parseFrame(Buffer.from(bytes))).toThrow('Not one RESP frame')
    },
  )
})

function scanned(bytes: Buffer, nextSize: () => number): string[] {
  const scanner = new FrameScanner()
  const found: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const size = nextSize()
    // A copy, because a socket reuses nothing of a chunk either.
    const chunk = Buffer.from(bytes.subarray(at, at + size))
    found.push(...scanner.push(chunk).map((frame) => frame.toString('latin1')))
    at += size
  }
  return found
}
