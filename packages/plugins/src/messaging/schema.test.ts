/** Messages are checked by any schema that keeps to Standard Schema. */

import { InvalidOptionError, MessageInvalidError } from '@larder/core'
import { expect, it } from 'vitest'
import { assertSchema, checked, type MessageSchema, type SchemaResult } from './schema.ts'

const OF = { topic: 'emails', side: 'receive' } as const

function schemaOf(
  validate: (value: unknown) => SchemaResult<unknown> | Promise<SchemaResult<unknown>>,
): MessageSchema {
  return { '~standard': { version: 1, vendor: 'test', validate } }
}

it('takes any value without a schema', async () => {
  expect(await checked(undefined, undefined, OF)).toBeUndefined()
})

it('gives what the schema made of a value, at once or later', async () => {
  expect(
    await checked(
      schemaOf((value) => ({ value: `${value}!` })),
      'a',
      OF,
    ),
  ).toBe('a!')
  expect(
    await checked(
      schemaOf(async () => ({ value: undefined })),
      'a',
      OF,
    ),
  ).toBeUndefined()
})

it('says where a message is wrong, and names no value', async () => {
  const issues = [
    { message: 'Expected "a", received "secret"', path: ['to', 0, { key: 'a b' }, Symbol('s')] },
    { message: 'Wrong' },
  ]
  const error = await checked(
    schemaOf(async () => ({ issues })),
    {},
    OF,
  ).catch((reason: unknown) => reason as MessageInvalidError)
  expect(error).toBeInstanceOf(MessageInvalidError)
  expect((error as MessageInvalidError).issues.map(({ path }) => path)).toEqual([
    '$.to[0]["a b"]["Symbol(s)"]',
    '$',
  ])
  expect(String(error)).toMatch(/A message of emails is not what its schema says: look at \$\.to/)
  expect(String(error) + JSON.stringify(error)).not.toContain('secret')
})

it('names a few places of many, and cuts long ones', async () => {
  const issues = Array.from({ length: 200 }, (_, i) => ({
    message: 'x',
    path: ['k'.repeat(1_000), i],
  }))
  const error = await checked(
    schemaOf(() => ({ issues })),
    {},
    OF,
  ).catch((reason: unknown) => reason as MessageInvalidError)
  expect((error as MessageInvalidError).issues).toHaveLength(100)
  expect((error as MessageInvalidError).message.length).toBeLessThan(1_300)
  expect((error as MessageInvalidError).message).toMatch(/and at 95 more places\.$/)
})

it('lets through what the schema throws', async () => {
  const broken = schemaOf(() => {
    throw new TypeError('broken')
  })
  await expect(checked(broken, 'a', OF)).rejects.toThrow(TypeError)
})

it('refuses what is not a schema', () => {
  const callable = Object.assign(
    () => undefined,
    schemaOf(() => ({ value: 1 })),
  )
  for (const schema of [undefined, schemaOf(() => ({ value: 1 })), callable])
    expect(() => assertSchema(schema, 'x.schema')).not.toThrow()
  const wrong = [null, 1, {}, { '~standard': { version: 2, validate: () => ({ value: 1 }) } }]
  for (const schema of [...wrong, { '~standard': { version: 1 } }, { parse: () => 1 }])
    expect(() => assertSchema(schema, 'x.schema')).toThrow(InvalidOptionError)
})
