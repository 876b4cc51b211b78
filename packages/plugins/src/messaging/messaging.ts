/** Messages between processes over a cache manager's store. */

export type { MessageAttributes } from './envelope.ts'
export type { MessageSchema, SchemaIssue, SchemaResult } from './schema.ts'
