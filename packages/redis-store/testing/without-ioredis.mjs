/** Takes ioredis away from a process: `IOREDIS` says how it fails to load. Given to `--import`. */

import { register } from 'node:module'

const hook = `
export async function resolve(specifier, context, next) {
  if (specifier !== 'ioredis') return next(specifier, context)
  if (${JSON.stringify(process.env.IOREDIS)} === 'missing') {
    throw Object.assign(new Error("Cannot find package 'ioredis'"), { code: 'ERR_MODULE_NOT_FOUND' })
  }
  throw new Error('Dynamic require of "events" is not supported')
}`
if (process.env.IOREDIS !== undefined) register(`data:text/javascript,${encodeURIComponent(hook)}`)
