// A program that starts a server and ends without stopping it, in the way its argument names.

import { writeSync } from 'node:fs'
import { startRedis } from '../redis-server.ts'

const redis = await startRedis()
const [, dir] = (await redis.command('CONFIG', 'GET', 'dir')) as [string, string]
writeSync(1, JSON.stringify({ pid: redis.pid, dir }))

const way = process.argv[2]
if (way === 'SIGKILL') process.kill(process.pid, 'SIGKILL')
if (way === 'crash') throw new Error('crashing as asked')
// 'end': nothing holds the event loop, although the server still runs.
