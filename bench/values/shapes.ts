/** The shapes of values that are measured: what applications keep, each as small or as large as asked. */

export interface Shape {
  readonly name: string
  /** Makes a value of about so many bytes as JSON, of objects of its own. */
  make(bytes: number): unknown
}

const TEXT = 'the quick brown fox jumps over the lazy dog and runs on to the river '
const UNICODE = 'Übergrößenträger – größer als „groß“, 東京都の天気は晴れです。 😀 '

export const SHAPES: readonly Shape[] = [
  { name: 'rows', make: (bytes) => listOf(bytes, row) },
  { name: 'small records', make: (bytes) => listOf(bytes, record) },
  { name: 'documents', make: (bytes) => listOf(bytes, document) },
  { name: 'long texts', make: (bytes) => ({ title: 'A text', body: textOf(bytes - 30, TEXT) }) },
  { name: 'unicode', make: (bytes) => listOf(bytes, (i) => ({ id: i, text: UNICODE })) },
  { name: 'numbers', make: (bytes) => listOf(bytes, (i) => (i * 7_919.37) % 10_007) },
  { name: 'whole numbers', make: (bytes) => listOf(bytes, (i) => (i * 7_919) % 1_000_003) },
  { name: 'dictionary', make: dictionary },
  { name: 'deep trees', make: (bytes) => tree(bytes, { next: 0 }) },
]

/** The shape of that name. */
export function shapeNamed(name: string): Shape {
  const shape = SHAPES.find((each) => each.name === name)
  if (shape === undefined) throw new Error(`There is no shape ${name}`)
  return shape
}

/** As a query returns them: many columns, the same names in each. */
function row(i: number): object {
  return {
    id: `user-${i}`,
    name: `Ada Lovelace ${i}`,
    email: `${i}@example.com`,
    active: i % 2 === 0,
    age: i % 90,
    score: i * 1.37,
    city: 'London',
    manager: i % 3 === 0 ? null : `user-${i % 100}`,
    created: '2026-11-20T12:00:00.123Z',
  }
}

function record(i: number): object {
  return { id: i, name: TEXT.slice(0, 20), price: i * 1.25 }
}

/** As an API returns them: objects in objects, short lists, texts of some length. */
function document(i: number): object {
  return {
    id: `order-${i}`,
    customer: {
      id: i * 7,
      name: `Ada Lovelace ${i}`,
      address: { street: TEXT.slice(0, 30), no: i },
    },
    lines: [record(i), record(i + 1), record(i + 2)],
    labels: ['new', 'paid', `batch-${i % 10}`],
    note: TEXT.repeat(4),
    [i % 2 === 0 ? 'shipped' : 'expected']: '2026-11-20',
  }
}

/** An object used as a map: as many names as values. */
function dictionary(bytes: number): object {
  const found: Record<string, number> = {}
  for (let i = 0, length = 2; length < bytes; i++) {
    found[`sku-${i}`] = i % 1_000
    length += `"sku-${i}":${i % 1_000},`.length
  }
  return found
}

/** Each node holds three, down to leaves. */
function tree(bytes: number, ids: { next: number }): object {
  const own = { id: ids.next++, label: `node ${ids.next}` }
  const left = bytes - 60
  if (left < 180) return own
  return { ...own, children: [1, 2, 3].map(() => tree(left / 3, ids)) }
}

function textOf(bytes: number, part: string): string {
  return part.repeat(Math.ceil(bytes / part.length)).slice(0, Math.max(0, bytes))
}

function listOf(bytes: number, item: (index: number) => unknown): readonly unknown[] {
  const list: unknown[] = []
  for (let length = 2; length < bytes; ) {
    const made = item(list.length)
    list.push(made)
    length += Buffer.byteLength(JSON.stringify(made)) + 1
  }
  return list
}
