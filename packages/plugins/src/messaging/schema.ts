/**
 * The check of a message by a schema of any library that keeps to Standard Schema (https://standardschema.dev), version 1: zod, valibot,
 * ArkType and others. Nothing of them is imported.
 *
 * A schema may change what it checks: it sets defaults, and makes a date of a text. A message is checked at both ends, so what was
 * changed once must not be checked again. The sender checks, and sends the message as it was given; the receiver checks, and hands out
 * what its schema made of it.
 */

import { InvalidOptionError, MessageInvalidError, type MessageIssue } from '@larder/core'

/** A schema, as far as it is used here. `Input`: what is sent; `Output`: what a handler gets. */
export interface MessageSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (
      value: unknown,
      ...more: never[]
    ) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** What a schema says of a value. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

/** What a schema finds wrong. */
export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

export interface CheckedMessage {
  readonly topic: string
  readonly side: 'send' | 'receive'
}

const MOST_ISSUES = 100
const MOST_PATH = 200
const NAME = /^[A-Za-z_$][\w$]*$/

/** @throws InvalidOptionError for what is no schema; without one any value is right */
export function assertSchema(schema: unknown, option: string): void {
  if (schema === undefined) return
  const standard = isObject(schema) ? (schema as Partial<MessageSchema>)['~standard'] : undefined
  if (isObject(standard) && standard.version === 1 && typeof standard.validate === 'function')
    return
  const expected = 'a schema with "~standard" of version 1, as those of zod, valibot and ArkType'
  throw new InvalidOptionError({ option, expected, received: schema })
}

/** What the schema makes of a value; without a schema the value itself. @throws MessageInvalidError; what the schema throws */
export async function checked<Output>(
  schema: MessageSchema<unknown, Output> | undefined,
  value: unknown,
  { topic, side }: CheckedMessage,
): Promise<Output> {
  if (schema === undefined) return value as Output
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return result.value
  const issues = result.issues.slice(0, MOST_ISSUES).map(issueOf)
  throw new MessageInvalidError({ topic, side, reason: 'schema', issues })
}

function issueOf({ message, path }: SchemaIssue): MessageIssue {
  return { path: pathText(path), message: String(message) }
}

/** Keys of records are data, so a path is cut where it gets long. */
function pathText(path: SchemaIssue['path']): string {
  let text = '$'
  for (const part of path ?? []) {
    const key = isObject(part) ? part.key : part
    if (typeof key === 'number') text += `[${key}]`
    else text += NAME.test(String(key)) ? `.${String(key)}` : `[${JSON.stringify(String(key))}]`
    if (text.length > MOST_PATH) return `${text.slice(0, MOST_PATH)}…`
  }
  return text
}

/** A schema may be a function: those of ArkType are. */
function isObject(value: unknown): value is object & { readonly key: PropertyKey } {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
